/** Sums over the stack tree of a window: how many samples a node, a frame or a set of frames stands for. */
import type { Window } from '../model/window.ts'

/** Samples at or below each stack node. A parent comes before its children, so one pass from the end is enough. */
export function samplesBelow(window: Window): Float64Array {
  const { parent } = window.stacks
  const below = new Float64Array(parent.length)
  for (const node of window.samples.stack) if (node >= 0) below[node] = below[node]! + 1
  for (let node = parent.length - 1; node >= 0; node--) {
    const up = parent[node]!
    if (up >= 0) below[up] = below[up]! + below[node]!
  }
  return below
}

/** Samples with at least one frame of the set on their stack. */
export function samplesWith(window: Window, isInSet: (frame: number) => boolean): number {
  const { parent, location } = window.stacks
  const has = new Uint8Array(parent.length)
  for (let node = 0; node < parent.length; node++) {
    const up = parent[node]!
    has[node] = (up >= 0 && has[up] === 1) || isInSet(location[node]!) ? 1 : 0
  }
  let samples = 0
  for (const node of window.samples.stack) if (node >= 0 && has[node] === 1) samples++
  return samples
}
