/** The peer: `perf record` on the same program, read back through `perf script`. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { NamedFrame, NamedStack } from './stacks.ts'

export interface PerfRun {
  readonly stacks: readonly NamedStack[]
  readonly dataPath: string
}

/** How perf follows a stack: by frame pointers, or by a copy of this many bytes and the DWARF tables. */
export type PerfCallGraph = 'fp' | `dwarf,${number}`

/** Records a command from start to end with the CPU clock, as we do. */
export function perfRecord(
  rateHz: number,
  command: readonly string[],
  directory: string,
  callGraph: PerfCallGraph = 'fp',
): PerfRun {
  const dataPath = join(directory, 'perf.data')
  const what = ['-e', 'cpu-clock', '-F', String(rateHz), '--call-graph', callGraph]
  recordOnce(['record', '-q', ...what, '-o', dataPath, '--', ...command], ATTEMPTS)
  return { stacks: perfScript(dataPath), dataPath }
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

/** Every sample of a perf.data file. */
export function perfScript(dataPath: string): NamedStack[] {
  const args = ['script', '-i', dataPath, '-F', 'comm,pid,ip,sym,dso']
  return parsePerfScript(
    execFileSync('perf', args, { maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] }).toString(),
  )
}

// A header line a sample, then its frames leaf first, each "   address symbol (file)", then an empty line. A function that
// was inlined has "inlined" for its file; its caller, or that one's, has the file.
function parsePerfScript(text: string): NamedStack[] {
  const stacks: NamedStack[] = []
  for (const block of text.split(/\n\s*\n/)) {
    const frames: NamedFrame[] = []
    let module = ''
    for (const line of block.split('\n').reverse()) {
      const match = /^\s+([0-9a-f]+) (.*) \((.*)\)$/.exec(line)
      if (!match) continue
      const [, address, name, path] = match as unknown as [string, string, string, string]
      if (path !== 'inlined') module = path.slice(path.lastIndexOf('/') + 1)
      const isKernel = address.length === 16 && address.startsWith('ff')
      frames.push({ name, module, kind: isKernel ? 'kernel' : 'native', isNamed: name !== '[unknown]' })
    }
    if (frames.length > 0) stacks.push({ frames, samples: 1, labels: {} })
  }
  return stacks
}
