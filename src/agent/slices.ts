/** Long work beside the pump: a slice in each round of the event loop, so that no other has to wait for the whole. */
import { performance } from 'node:perf_hooks'
import type { Steps } from '../model/steps.ts'

/** With what a step may take beyond it, and the rest of the round, below 10 ms. */
const SLICE_MS = 3

/** What the work gives; `onSlice` gets the milliseconds of each slice. Rejects with what the work throws. */
export async function inSlices<T>(steps: Steps<T>, onSlice: (ms: number) => void = () => {}): Promise<T> {
  for (;;) {
    const startMs = performance.now()
    let elapsedMs = 0
    do {
      const step = steps.next()
      elapsedMs = performance.now() - startMs
      if (step.done) {
        onSlice(elapsedMs)
        return step.value
      }
    } while (elapsedMs < SLICE_MS)
    onSlice(elapsedMs)
    await new Promise(setImmediate)
  }
}
