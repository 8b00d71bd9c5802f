/** Names for code made at run time, by the perf map its runtime writes (/tmp/perf-PID.map). */
import type { Executable } from '../model/executable.ts'
import type { SymbolReaders } from '../native/symbols.ts'
import {
  type ExecutableFrames,
  type NamedFrames,
  spanningModule,
  unnamedFrames,
  unsignedAddress,
} from './named-frames.ts'
import { runtimeFrame } from './runtime-name.ts'

/** Names the frames of a `jit` executable; without a perf map every frame has the reason `jit`. */
export async function nameJitFrames(
  executable: Executable,
  wanted: ExecutableFrames,
  readers: SymbolReaders,
): Promise<NamedFrames> {
  const { path, buildId, perfMapFd } = executable
  if (perfMapFd < 0) return unnamedFrames(path, buildId, wanted, 'jit')
  const symbols = await readers.resolvePerfMap(perfMapFd, wanted.addresses)
  const addresses = Array.from(wanted.addresses, unsignedAddress)
  return {
    modules: [spanningModule(path, buildId, addresses)],
    frames: wanted.frames.map((frame, i) => {
      const name = symbols.names[symbols.name[i]!] ?? ''
      const chain = name === '' ? [] : [runtimeFrame(name)]
      return { frame, address: addresses[i]!, module: 0, chain, reason: name === '' ? 'jit' : '' }
    }),
    notes: [],
    fileNotes: perfMapNotes(executable.pid, symbols),
  }
}

function perfMapNotes(
  pid: number,
  read: { readonly malformedLines: number; readonly failure: string },
): string[] {
  if (read.failure) return [`the perf map of process ${pid} could not be read: ${read.failure}`]
  if (read.malformedLines === 0) return []
  return [`the perf map of process ${pid} has ${read.malformedLines} lines that could not be read`]
}
