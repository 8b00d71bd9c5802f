/** The only file that loads the addon. Everything else imports the typed faces beside it. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AgentError } from '../errors.ts'
import type { ChildStarter } from './child.ts'
import type { AbiNames } from './sample-batch.ts'
import type { NativeSamplerConstructor } from './sampler.ts'
import type { SymbolReaders } from './symbols.ts'
import type { UnwindReaders } from './unwind-tables.ts'

export interface Addon extends ChildStarter, SymbolReaders, UnwindReaders {
  readonly abi: AbiNames
  readonly Sampler: NativeSamplerConstructor
  /** CLOCK_BOOTTIME now, nanoseconds: the clock of samples and process events. */
  bootTimeNs(): number
  /** The unwinder's variant that this kernel gets; 'tail-calls' too where we may not load BPF programs. */
  unwinderOfKernel(): 'loop' | 'tail-calls'
  /** From now on native memory that is freed goes back to the system: for a process without end. */
  returnFreedMemory(): void
  /**
   * Takes clean pages of mapped files, Node's own above all, out of resident memory; what is used comes back by itself.
   * To be called when the start is over. `bytes`: of the mappings.
   */
  dropStartPages(): Promise<{ readonly bytes: number }>
  /** Measures rounds of the event loop from now on, without a wakeup of its own; what was before is forgotten. */
  startPauseMeter(): void
  /** Milliseconds of the longest round of callbacks that has ended since then; 0 before the first. */
  longestPauseMs(): number
  /** CPU nanoseconds of all child processes that have ended and were waited for. */
  reapedChildrenCpuNs(): number
}

/** Directory of package.json, found upwards from this file: right in the sources, in dist/ and in the bundle. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory)
    if (parent === directory)
      throw new AgentError('internal', `cannot find package.json above ${fileURLToPath(import.meta.url)}`)
    directory = parent
  }
  return directory
}

let loaded: Addon | undefined

/** The addon: build/Release in a checkout, prebuilds/ in an installed package. Throws AgentError `unsupported`. */
export function loadAddon(): Addon {
  if (loaded) return loaded
  const require = createRequire(import.meta.url)
  try {
    const load = require('node-gyp-build') as (root: string) => Addon
    loaded = load(packageRoot())
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new AgentError(
      'unsupported',
      `cannot load the native addon: ${reason}; run \`npm start\` in a checkout to build it`,
      { cause },
    )
  }
  return loaded
}
