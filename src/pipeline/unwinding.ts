/** What unwinding is given: the variant, the memory, the cache. The one home of its defaults. */
import { join } from 'node:path'
import { AgentError } from '../errors.ts'
import type { SamplerOptions } from '../native/sampler.ts'

export type UnwindOptions = Pick<
  SamplerOptions,
  'unwinder' | 'cacheDir' | 'kernelBudgetBytes' | 'userBudgetBytes' | 'rawStacksPerSecond'
>

const VARIANTS = ['auto', 'loop', 'tail-calls'] as const

const BUDGET_BYTES = 64 * 1024 * 1024
/** One costs some microseconds of our CPU: half a percent of a core at most. */
const RAW_STACKS_PER_SECOND = 1000

/** Environment variables by name. */
type Environment = Readonly<Record<string, string | undefined>>

/** EMBERSCOPE_UNWINDER ('auto', 'loop', 'tail-calls') and EMBERSCOPE_CACHE_DIR ('' for no cache) are read. Errors: AgentError `usage`. */
export function unwindOptions(env: Environment, uid: number): UnwindOptions {
  return {
    unwinder: unwinderOf(env.EMBERSCOPE_UNWINDER ?? 'auto'),
    cacheDir: cacheDirectory(env, uid),
    kernelBudgetBytes: BUDGET_BYTES,
    userBudgetBytes: BUDGET_BYTES,
    rawStacksPerSecond: RAW_STACKS_PER_SECOND,
  }
}

function unwinderOf(text: string): UnwindOptions['unwinder'] {
  const found = VARIANTS.find((variant) => variant === text)
  if (found) return found
  throw new AgentError('usage', `EMBERSCOPE_UNWINDER is "${text}"; it can be ${VARIANTS.join(', ')}`)
}

/** '' when there is no place for one. Root's is the system's: sudo leaves the home of the user who called it. */
export function cacheDirectory(env: Environment, uid: number): string {
  if (env.EMBERSCOPE_CACHE_DIR !== undefined) return env.EMBERSCOPE_CACHE_DIR
  if (uid === 0) return '/var/cache/emberscope'
  if (env.XDG_CACHE_HOME?.startsWith('/')) return join(env.XDG_CACHE_HOME, 'emberscope')
  return env.HOME?.startsWith('/') ? join(env.HOME, '.cache/emberscope') : ''
}
