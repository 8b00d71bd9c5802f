/** Tells when a capture is over, and sleeps until then in steps. */
import { isRunning } from '../process/proc-files.ts'

/** Part of a CaptureRequest. */
export interface EndConditions {
  readonly target: { readonly kind: 'pids' | 'command' | 'all'; readonly pids: readonly number[] }
  readonly durationMs: number | null
  readonly stop: AbortSignal
  readonly ended: Promise<unknown>
}

export interface End {
  readonly value: boolean
  /** Resolves at the end, or after that many milliseconds. */
  orAfter(ms: number): Promise<void>
}

/** The end is the first of: time is up, `stop`, the command ended, every asked process is gone. */
export function watchForEnd({ target, durationMs, stop, ended }: EndConditions): End {
  const deadline = durationMs === null ? Number.POSITIVE_INFINITY : performance.now() + durationMs
  let isEnded = false
  let wake = (): void => {}
  const end = (): void => {
    isEnded = true
    wake()
  }
  stop.addEventListener('abort', end, { once: true })
  ended.then(end, end)
  const isGone = (): boolean => target.kind === 'pids' && !target.pids.some(isRunning)
  return {
    get value() {
      return isEnded || stop.aborted || performance.now() >= deadline || isGone()
    },
    orAfter: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, Math.min(ms, deadline - performance.now())))
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
  }
}
