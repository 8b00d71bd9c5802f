/**
 * One capture from start to end: open, seed the pid set, pump until the end, close the window, name its frames, and say
 * how well it went. The stages are called in order and know nothing of one another.
 */
import { cpus } from 'node:os'
import { Aggregator, type WindowTimes } from '../aggregate/aggregator.ts'
import { AgentError } from '../errors.ts'
import type { CaptureReport, Profile } from '../model/profile.ts'
import { loadAddon } from '../native/addon.ts'
import type { NativeSampler } from '../native/sampler.ts'
import { withDescendants } from '../process/descendants.ts'
import { ExecutableTable } from '../process/executable-table.ts'
import { HeldRoots } from '../process/held-roots.ts'
import { listPids, readUid } from '../process/proc-files.ts'
import { ProcessTable } from '../process/process-table.ts'
import { readSources } from '../symbolize/source-text.ts'
import { symbolize } from '../symbolize/symbolizer.ts'
import { commentsOf, hostReport } from './host-report.ts'
import { filterText, openSampler, type SamplingRequest, worded } from './open-sampler.ts'
import { raisePriority } from './priority.ts'
import { droppedBy, Pump, TURN_MS } from './pump.ts'
import { rawRingBytes } from './ring-size.ts'
import { SelfCost } from './self-cost.ts'
import { unwindingReport, unwindNotes } from './unwind-report.ts'
import { watchForEnd } from './watch-end.ts'

export interface CaptureRequest extends Omit<SamplingRequest, 'byPid'> {
  readonly target: {
    readonly kind: 'pids' | 'command' | 'all'
    readonly name: string
    readonly pids: readonly number[]
  }
  /** null: until the target ends or `stop` is aborted. */
  readonly durationMs: number | null
  /** With the source text around the sampled lines. */
  readonly source: boolean
  readonly stop: AbortSignal
  /** Settles when a launched command has ended; never for other targets. */
  readonly ended: Promise<unknown>
}

export interface CaptureHooks {
  onReady(): void
  onProgress(progress: { readonly samples: number; readonly elapsedMs: number; readonly cores: number }): void
  onSampled(): void
}

export interface CaptureResult {
  readonly profile: Profile
  readonly lastSampleMonotonicNs: bigint
}

/** What one capture holds open, in the order it is closed. */
interface Session {
  readonly request: CaptureRequest
  readonly sampler: NativeSampler
  readonly processes: ProcessTable
  readonly executables: ExecutableTable
  readonly aggregator: Aggregator
  readonly pump: Pump
  /** Null when no source text is asked for. */
  readonly roots: HeldRoots | null
  readonly cost: SelfCost
}

/** Samples the target, names its frames and returns the profile. Errors: AgentError; samples taken are never dropped for a later failure to name them. */
export async function capture(request: CaptureRequest, hooks: CaptureHooks): Promise<CaptureResult> {
  const addon = loadAddon()
  const processes = new ProcessTable(addon.abi.eventKinds)
  const executables = new ExecutableTable()
  const roots = request.source ? new HeldRoots(goneUidOf(request)) : null
  const sampler = openSampler({
    byPid: request.target.kind !== 'all',
    rateHz: request.rateHz,
    kernelStacks: request.kernelStacks,
    cgroupPaths: request.cgroupPath === '' ? [] : [request.cgroupPath],
    comms: request.comm === '' ? [] : [request.comm],
    pidNamespaces: [],
    rawRingBytes: rawRingBytes(request.rateHz, cpus().length, TURN_MS),
  })
  try {
    const aggregator = new Aggregator(processes, executables, addon.abi.stackEnds)
    const pump = new Pump(sampler, processes, aggregator, addon.abi)
    const stages = { sampler, processes, executables, aggregator, pump }
    const session = { request, ...stages, roots, cost: new SelfCost() }
    seed(session)
    return await run(session, hooks)
  } finally {
    sampler.close()
    executables.close()
    roots?.close()
  }
}

/** Whose files a process that ended before it was looked at could read: a command's, in all likelihood. */
function goneUidOf({ target }: CaptureRequest): number {
  return target.kind === 'command' ? readUid(target.pids[0] ?? 0) : -1
}

/** A turn of the pump; what must be caught before its process ends, is. */
function turn({ pump, roots, executables }: Session): void {
  pump.turn()
  roots?.observe(executables.list())
}

/** Puts the target into the pid set and reads its mappings, before the first tick. */
function seed({ request, sampler, processes }: Session): void {
  if (request.target.kind === 'all') return
  for (const pid of withDescendants(request.target.pids, process.pid)) {
    worded(() => sampler.addTarget(pid))
    processes.snapshot(pid)
  }
}

async function run(session: Session, hooks: CaptureHooks): Promise<CaptureResult> {
  const { request, sampler, pump, cost } = session
  const startUnixNs = BigInt(Date.now()) * 1_000_000n
  const startBootNs = loadAddon().bootTimeNs()
  worded(() => sampler.start())
  hooks.onReady()
  const restorePriority = raisePriority()
  const isOver = watchForEnd(request)
  if (request.target.kind === 'all') await snapshotAll(session)
  while (!isOver.value) {
    await isOver.orAfter(pump.pauseMs)
    turn(session)
    cost.observe()
    hooks.onProgress(progressOf(session, loadAddon().bootTimeNs() - startBootNs))
  }
  sampler.stop()
  const durationNs = loadAddon().bootTimeNs() - startBootNs
  const lastSampleMonotonicNs = process.hrtime.bigint()
  turn(session)
  restorePriority()
  hooks.onSampled()
  const times = { timeNs: startUnixNs, bootTimeNs: startBootNs, durationNs, periodNs: 1e9 / request.rateHz }
  return { profile: await nameAndReport(session, times), lastSampleMonotonicNs }
}

/** Processes that ran before us, in slices: the ring holds the samples of the meantime. */
async function snapshotAll(session: Session): Promise<void> {
  let turnedAt = performance.now()
  for (const pid of listPids()) {
    session.processes.snapshot(pid)
    if (performance.now() - turnedAt < TURN_MS) continue
    turn(session)
    await new Promise(setImmediate)
    turnedAt = performance.now()
  }
}

function progressOf({ aggregator, request }: Session, elapsedNs: number) {
  const samples = aggregator.size
  return {
    samples,
    elapsedMs: elapsedNs / 1e6,
    cores: samples / request.rateHz / Math.max(1e-3, elapsedNs / 1e9),
  }
}

async function nameAndReport(session: Session, times: WindowTimes): Promise<Profile> {
  const { aggregator, executables, request, pump, sampler, cost } = session
  const counters = pump.counters()
  const bpf = sampler.bpfStats()
  const unwind = sampler.unwindStats()
  if (aggregator.size === 0 && (counters.captured ?? 0) === 0)
    throw new AgentError('no_samples', noSamplesMessage(request, times.durationNs))
  executables.openLatePerfMaps()
  const childCpuNs = loadAddon().reapedChildrenCpuNs()
  const window = aggregator.toWindow(times)
  const named = await symbolize(window, loadAddon())
  const sources = session.roots && readSources(window, named.profile, session.roots)
  const symbolizerCpuNs = loadAddon().reapedChildrenCpuNs() - childCpuNs
  const report: CaptureReport = {
    target: request.target,
    host: hostReport(),
    event: sampler.event,
    rateHz: request.rateHz,
    durationNs: times.durationNs,
    samples: { captured: counters.captured ?? 0, kept: aggregator.size, dropped: droppedBy(counters) },
    stacks: pump.stackQuality(),
    frames: named.frames,
    overhead: {
      bpfRuns: bpf.runs,
      bpfTimeNs: bpf.timeNs,
      bpfCapturedNs: counters.captured_ns ?? 0,
      ...cost.total(bpf.timeNs + symbolizerCpuNs),
      kernelBytes: unwind.tables.mapBytes + unwind.tables.shardBytes,
    },
    unwinding: unwindingReport(sampler.unwinder, unwind),
    timing: {
      startToFirstSampleNs: Math.max(0, pump.firstSampleNs - cost.startBootNs),
      lastSampleToFilesNs: 0,
    },
    notes: [
      ...filterNotes(request),
      ...lossNotes(session, counters),
      ...unwindNotes(pump.stackQuality().truncated, unwind),
      ...named.notes,
      ...(sources ? [sources.note] : []),
    ],
  }
  const profile = { ...named.profile, comments: commentsOf(report), capture: report }
  return sources ? { ...profile, sources: sources.texts } : profile
}

function lossNotes({ processes }: Session, counters: Record<string, number>): string[] {
  const notes: string[] = []
  if (processes.lostEvents > 0)
    notes.push(`${processes.lostEvents} process events were lost: files mapped meanwhile may be missing`)
  if ((counters.targets_full ?? 0) > 0)
    notes.push(`${counters.targets_full} child processes were not followed: more than 65 536 at once`)
  return notes
}

function noSamplesMessage(request: CaptureRequest, durationNs: number): string {
  const { target, rateHz } = request
  const of = target.kind === 'all' ? '' : ` of ${target.name || 'the target'} (pid ${target.pids.join(', ')})`
  const seconds = (durationNs / 1e9).toFixed(1)
  return `no samples: no thread${of}${filterText(request)} was seen on a CPU in ${seconds} s at ${rateHz} Hz; give it work, or measure longer with -d`
}

/** A profile of a part must not pass for one of the whole. */
function filterNotes(request: CaptureRequest): string[] {
  const filters = filterText(request)
  return filters === '' ? [] : [`only threads${filters} are counted`]
}
