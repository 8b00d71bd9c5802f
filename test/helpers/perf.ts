/** The peer: `perf record` on the same program, read back through `perf script`. */
import { execFileSync } from 'node:child_process'
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
}

/** Records a command from start to end with the CPU clock, as we do. */
export function perfRecord(
  rateHz: number,
  command: readonly string[],
  directory: string,
  { callGraph = 'fp', comm }: PerfOptions = {},
): PerfRun {
  const dataPath = join(directory, 'perf.data')
  const what = ['-e', 'cpu-clock', '-F', String(rateHz), '--call-graph', callGraph]
  const all = comm === undefined ? [] : ['-a']
  recordOnce(['record', '-q', ...all, ...what, '-o', dataPath, '--', ...command], ATTEMPTS)
  return { stacks: perfScript(dataPath, comm), dataPath }
}

/** perf 6.1 aborts now and then on a busy host (SIGABRT, seen twice here): that says nothing of the program it records. */
const ATTEMPTS = 3

function recordOnce(args: readonly string[], attempts: number): void {
  try {
    execFileSync('perf', args, { stdio: 'ignore' })
  } catch (error) {
    if ((error as { signal?: string }).signal !== 'SIGABRT' || attempts <= 1) throw error
    recordOnce(args, attempts - 1)
  }
}

/** Every sample of a perf.data file, or those of the threads with a name. */
export function perfScript(dataPath: string, comm?: string): NamedStack[] {
  const filter = comm === undefined ? [] : ['--comm', comm]
  const script = (...more: string[]): string[] => {
    const args = ['script', '-i', dataPath, '-F', 'comm,pid,ip,sym,dso', ...filter, ...more]
    const text = execFileSync('perf', args, { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] })
    return text
      .toString()
      .split(/\n\s*\n/)
      .filter((block) => FRAME.test(block))
  }
  const plain = script('--no-inline')
  return script().map((block, i) => parseSample(block, plain[i] ?? ''))
}

/** A frame: "   address symbol (file)". A sample is a header line, then its frames leaf first, then an empty line. */
const FRAME = /^\s+([0-9a-f]+) (.*) \((.*)\)$/m

/** `plain` is the same sample without inlined functions: perf gives those no file, but the address of their caller. */
function parseSample(block: string, plain: string): NamedStack {
  const fileAt = new Map<string, string>()
  for (const line of plain.split('\n')) {
    const [, address, , path] = FRAME.exec(line) ?? []
    if (address !== undefined) fileAt.set(address, path!)
  }
  const frames = block
    .split('\n')
    .map((line) => FRAME.exec(line))
    .filter((match) => match !== null)
    .map(([, address, name, path]): NamedFrame => {
      const file = path === 'inlined' ? (fileAt.get(address!) ?? '') : path!
      return {
        name: name!,
        module: file.slice(file.lastIndexOf('/') + 1),
        kind: address!.length === 16 && address!.startsWith('ff') ? 'kernel' : 'native',
        isNamed: name !== '[unknown]',
      }
    })
  return { frames: frames.reverse(), samples: 1, labels: {} }
}
