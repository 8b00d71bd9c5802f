/** The peer: `perf record` on the same program, read back through `perf script`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { NamedFrame, NamedStack } from './stacks.ts'

export interface PerfRun {
  readonly stacks: readonly NamedStack[]
  readonly dataPath: string
}

export interface PerfOptions {
  /** How perf follows a stack: by frame pointers (default), or by a copy of so many bytes and the DWARF tables. */
  readonly callGraph?: 'fp' | `dwarf,${number}`
  /**
   * Watches every CPU and keeps the threads of this name. An event that a child inherits begins a new period with it:
   * children shorter than a period are never sampled otherwise.
   */
  readonly comm?: string
  /** Inlined functions too (default). */
  readonly inlines?: boolean
}

/** Records a command from start to end with the CPU clock, as we do. */
export function perfRecord(
  rateHz: number,
  command: readonly string[],
  directory: string,
  { callGraph = 'fp', comm, inlines = true }: PerfOptions = {},
): PerfRun {
  const dataPath = join(directory, 'perf.data')
  const what = ['-e', 'cpu-clock', '-F', String(rateHz), '--call-graph', callGraph]
  const all = comm === undefined ? [] : ['-a']
  runPerf(['record', '-q', ...all, ...what, '-o', dataPath, '--', ...command], 'ignore')
  return { stacks: perfScript(dataPath, { ...(comm === undefined ? {} : { comm }), inlines }), dataPath }
}

/** perf 6.1 aborts for some seconds now and then (build-id.c:1010), record and script: that says nothing of the program. */
const ATTEMPTS = 8
const PAUSE_MS = 2000

function runPerf(args: readonly string[], stdout: 'ignore' | 'pipe', attempts = ATTEMPTS): string {
  const {
    status,
    signal,
    stdout: text,
  } = spawnSync('perf', args, {
    maxBuffer: 1 << 30,
    stdio: ['ignore', stdout, 'ignore'],
  })
  if (status === 0) return String(text)
  if (signal !== 'SIGABRT' || attempts <= 1) throw new Error(`perf ${args.join(' ')}: ${signal ?? status}`)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
  return runPerf(args, stdout, attempts - 1)
}

/** What a perf command prints on standard output. */
export function perfText(args: readonly string[]): string {
  return runPerf(args, 'pipe')
}

/** Every sample of a perf.data file, or those of the threads with a name. */
export function perfScript(
  dataPath: string,
  { comm, inlines = true }: Pick<PerfOptions, 'comm' | 'inlines'> = {},
): NamedStack[] {
  const filter = comm === undefined ? [] : ['--comm', comm]
  const script = (...more: string[]): string[] =>
    runPerf(['script', '-i', dataPath, '-F', 'comm,pid,ip,sym,dso', ...filter, ...more], 'pipe')
      .split(/\n\s*\n/)
      .filter((block) => FRAME.test(block))
  const plain = script('--no-inline')
  const files = new Map(plain.flatMap((block) => [...filesOf(block)]))
  return (inlines ? script() : plain).map((block) => parseSample(block, files))
}

/** A frame: "   address symbol (file)". A sample is a header line, then its frames leaf first, then an empty line. */
const FRAME = /^\s+([0-9a-f]+) (.*) \((.*)\)$/m

/** Files by address, as perf prints addresses. */
function filesOf(block: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const line of block.split('\n')) {
    const [, address, , path] = FRAME.exec(line) ?? []
    if (address !== undefined) files.set(address, path!)
  }
  return files
}

/** Inlined functions have no file in perf's text, but the address of their caller, which has one in `files`. */
function parseSample(block: string, files: ReadonlyMap<string, string>): NamedStack {
  const frames = block
    .split('\n')
    .map((line) => FRAME.exec(line))
    .filter((match) => match !== null)
    .map(([, address, name, path]): NamedFrame => {
      const file = path === 'inlined' ? (files.get(address!) ?? '') : path!
      return {
        name: name!,
        module: file.slice(file.lastIndexOf('/') + 1),
        kind: address!.length === 16 && address!.startsWith('ff') ? 'kernel' : 'native',
        isNamed: name !== '[unknown]',
      }
    })
  return { frames: frames.reverse(), samples: 1, labels: {} }
}
