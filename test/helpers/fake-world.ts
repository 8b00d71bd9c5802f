/** A host that is only data: fake streams, clock, processes and signals for the tests of the command line. */
import type { CaptureRequest, CaptureResult, Deps, ExitStatus } from '../../src/cli/deps.ts'
import type { HostSnapshot } from '../../src/cli/host.ts'
import type { Environment } from '../../src/cli/invoking-user.ts'
import type { Launched, LaunchOptions } from '../../src/cli/launch.ts'
import type { ProcessInfo } from '../../src/cli/process-source.ts'
import type { TextOutput, World } from '../../src/cli/world.ts'
import type { CaptureReport, FrameKind, Profile } from '../../src/model/profile.ts'

/** A host on which everything works, as root. */
export const GOOD_HOST: HostSnapshot = {
  nodeVersion: 'v20.19.0',
  platform: 'linux',
  arch: 'x64',
  kernelRelease: '6.1.0-28-amd64',
  uid: 0,
  capabilities: 0x1ff_ffff_ffffn,
  hasBtf: true,
  lockdown: 'none',
  perfEventParanoid: 3,
  kptrRestrict: 0,
  cgroup2: '/sys/fs/cgroup',
  inContainer: false,
}

/** A stream that remembers what was written. */
export class FakeOutput implements TextOutput {
  text = ''
  readonly isTTY: boolean
  readonly columns: number
  constructor(isTTY = false, columns = 80) {
    this.isTTY = isTTY
    this.columns = columns
  }
  write(data: string | Uint8Array): boolean {
    this.text += typeof data === 'string' ? data : Buffer.from(data).toString('utf8')
    return true
  }
  /** Who waits for what; as `off` leaves it. */
  readonly listeners: [event: string, listener: () => void][] = []
  once(event: string, listener: () => void): void {
    this.listeners.push([event, listener])
  }
  off(event: string, listener: () => void): void {
    const at = this.listeners.findIndex(([name, known]) => name === event && known === listener)
    if (at >= 0) this.listeners.splice(at, 1)
  }
}

/** One process, sleeping, with defaults for what a test does not care about. */
export function fakeProcess(pid: number, comm: string, more: Partial<ProcessInfo> = {}): ProcessInfo {
  return {
    pid,
    tgid: pid,
    ppid: 1,
    comm,
    exe: `/usr/bin/${comm}`,
    argv: [comm],
    state: 'S',
    kernelThread: false,
    ...more,
  }
}

export interface FakeWorldOptions {
  readonly cwd: string
  readonly env?: Environment
  readonly uid?: number
  readonly host?: Partial<HostSnapshot>
  readonly processes?: readonly ProcessInfo[]
  readonly tty?: boolean
  readonly columns?: number
}

export class FakeWorld implements World {
  readonly env: Environment
  readonly cwd: string
  readonly pid = 500
  readonly uid: number
  readonly hostname = 'box'
  readonly commandName = 'profile'
  readonly stdout: FakeOutput
  readonly stderr: FakeOutput
  readonly exits: number[] = []
  readonly started: { argv: readonly string[]; env: Environment }[] = []
  readonly launches: { argv: readonly string[]; options: LaunchOptions }[] = []
  readonly childEvents: string[] = []
  clockNs = 1_000_000_000n
  #endChild: (status: ExitStatus) => void = () => {}
  readonly #host: HostSnapshot
  readonly #processes: readonly ProcessInfo[]
  readonly #handlers = new Map<string, Set<() => void>>()

  constructor(options: FakeWorldOptions) {
    this.cwd = options.cwd
    this.env = options.env ?? {}
    this.uid = options.uid ?? 0
    this.stdout = new FakeOutput(options.tty, options.columns)
    this.stderr = new FakeOutput(options.tty, options.columns)
    this.#host = { ...GOOD_HOST, uid: this.uid, ...options.host }
    this.#processes = options.processes ?? []
  }

  readonly processes = {
    list: (): ProcessInfo[] => [...this.#processes],
    read: (pid: number): ProcessInfo | null => this.#processes.find((p) => p.pid === pid) ?? null,
  }
  host(): HostSnapshot {
    return this.#host
  }
  now(): Date {
    return new Date(2026, 4, 1, 14, 35, 2)
  }
  monotonicNs(): bigint {
    return this.clockNs
  }
  onSignal(signal: NodeJS.Signals, handler: () => void): () => void {
    const handlers = this.#handlers.get(signal) ?? new Set()
    this.#handlers.set(signal, handlers.add(handler))
    return () => handlers.delete(handler)
  }
  /** Delivers a signal to whoever listens; false when nobody does. */
  signal(signal: NodeJS.Signals): boolean {
    const handlers = [...(this.#handlers.get(signal) ?? [])]
    for (const handler of handlers) handler()
    return handlers.length > 0
  }
  exit(code: number): void {
    this.exits.push(code)
  }
  launch = async (argv: readonly string[], options: LaunchOptions): Promise<Launched> => {
    this.launches.push({ argv, options })
    const ended = new Promise<ExitStatus>((done) => {
      this.#endChild = done
    })
    return {
      pid: 700,
      release: () => void this.childEvents.push('release'),
      cancel: () => void this.childEvents.push('cancel'),
      kill: (signal) => void this.childEvents.push(signal),
      ended,
    }
  }
  endChild(status: ExitStatus): void {
    this.#endChild(status)
  }
  startDetached = async (argv: readonly string[], env: Environment): Promise<boolean> => {
    this.started.push({ argv, env })
    return true
  }
}

/** A capture that gives `profile` at once; `seen` holds the requests. */
export function fakeDeps(profile: Profile, world: FakeWorld): Deps & { readonly seen: CaptureRequest[] } {
  const seen: CaptureRequest[] = []
  return {
    seen,
    capture: async (request, hooks): Promise<CaptureResult> => {
      seen.push(request)
      hooks.onReady()
      hooks.onProgress({ samples: 5, elapsedMs: 500, cores: 0.5 })
      hooks.onSampled()
      return { profile, lastSampleMonotonicNs: world.clockNs - 250_000_000n }
    },
    agent: () => Promise.resolve(0),
    watch: async (_request, onWindow) => {
      onWindow(profile)
      return { stop: async () => {} }
    },
  }
}

export const FAKE_REPORT: CaptureReport = {
  target: { kind: 'pids', name: 'node', pids: [4242] },
  host: { name: 'box', kernel: '6.1.0', arch: 'x64', cpus: 8 },
  event: 'cpu-clock',
  rateHz: 99,
  durationNs: 10e9,
  samples: { captured: 1000, kept: 990, dropped: { ring_full: 10, malformed: 0 } },
  stacks: { complete: 900, approximate: 60, truncated: { depth: 20, no_rows: 10 } },
  frames: { named: 1900, unnamed: { no_symbols: 90, jit: 10 } },
  overhead: {
    bpfRuns: 4000,
    bpfTimeNs: 3_000_000,
    bpfCapturedNs: 2_400_000,
    cpuNs: 42_000_000,
    rssBytes: 50 * 1024 * 1024,
  },
  timing: { startToFirstSampleNs: 200_000_000, lastSampleToFilesNs: 0 },
  notes: ['kernel names are hidden'],
}

/** A function of a fake profile. */
export interface FakeFrame {
  readonly name: string
  readonly file?: string
  readonly kind?: FrameKind
}

/** A profile of stacks (root first) with sample counts, captured as FAKE_REPORT says. */
export function fakeProfile(
  stacks: readonly { frames: readonly FakeFrame[]; samples: number }[],
  report: Partial<CaptureReport> = {},
): Profile {
  const names = new Map<string, number>()
  const functions: Profile['functions'][number][] = []
  const locations: Profile['locations'][number][] = []
  const parent: number[] = []
  const location: number[] = []
  const rows: number[] = []
  for (const { frames, samples } of stacks) {
    let node = -1
    for (const frame of frames) {
      const id = names.get(frame.name) ?? functions.length
      if (id === functions.length) {
        names.set(frame.name, id)
        functions.push({ name: frame.name, systemName: frame.name, fileName: frame.file ?? '', startLine: 1 })
        const lines = frame.name === '' ? [] : [{ function: id, line: 1, column: 0 }]
        const kind = frame.kind ?? 'native'
        locations.push({ mapping: -1, address: BigInt(id), lines, isFolded: false, kind, unnamedReason: '' })
      }
      parent.push(node)
      node = location.push(id) - 1
    }
    for (let i = 0; i < samples; i++) rows.push(node)
  }
  return {
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 1,
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_101_010n,
    timeNs: 1n,
    durationNs: 10_000_000_000n,
    mappings: [],
    functions,
    locations,
    stacks: { parent: Int32Array.from(parent), location: Int32Array.from(location) },
    samples: {
      stack: Int32Array.from(rows),
      labelSet: new Int32Array(rows.length),
      timeNs: null,
      values: [new Float64Array(rows.length).fill(1), new Float64Array(rows.length).fill(10_101_010)],
    },
    labelSets: [[]],
    comments: [],
    dropFrames: '',
    keepFrames: '',
    docUrl: '',
    capture: { ...FAKE_REPORT, ...report },
  }
}
