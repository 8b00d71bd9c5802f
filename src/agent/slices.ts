/** Long work beside the pump: a slice in each round of the event loop, so that no other has to wait for the whole. */
import { performance } from 'node:perf_hooks'
import type { Steps } from '../model/steps.ts'

/** With what a step may take beyond it, and the rest of the round, below 10 ms. */
const SLICE_MS = 3

/**
 * What the work gives. `onSlice` gets the CPU milliseconds of each slice, ours and of V8's helpers: on a busy host the
 * time by a clock says more of the others. Rejects with what the work throws.
 */
export async function inSlices<T>(steps: Steps<T>, onSlice: (cpuMs: number) => void = () => {}): Promise<T> {
  for (;;) {
    const before = process.cpuUsage()
    const step = slice(steps)
    const { user, system } = process.cpuUsage(before)
    onSlice((user + system) / 1000)
    if (step.done) return step.value
    await new Promise(setImmediate)
  }
}

/** The last step of a slice. */
function slice<T>(steps: Steps<T>): IteratorResult<void, T> {
  const endMs = performance.now() + SLICE_MS
  for (;;) {
    const step = steps.next()
    if (step.done || performance.now() >= endMs) return step
  }
}
