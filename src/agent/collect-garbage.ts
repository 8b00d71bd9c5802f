/**
 * The last resort above the hard limit of memory: what V8 has not looked at for long is collected at once. It stops the
 * event loop for tens of milliseconds, which is better than windows that are dropped for want of a few megabytes.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | null = null

/** Gives memory back where all that can be is wanted (`bytes` is Infinity); how many bytes less are resident. */
export function collectGarbage(bytes: number): number {
  if (Number.isFinite(bytes)) return 0
  collect ??= exposed()
  const before = process.memoryUsage.rss()
  collect()
  return Math.max(0, before - process.memoryUsage.rss())
}

/** The function that `node --expose-gc` has; V8 gives it to contexts made after the flag. */
function exposed(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
