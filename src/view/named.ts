/** How many of the frames have a name, weighted by what runs through them: for profiles that bring no report of their capture. */
import { type Dataset, selfWeights } from './dataset.ts'
import { frameAreas } from './functions.ts'
import { totalsOf } from './tree.ts'

/** What perf, bpftrace, gdb and others write where they found no name. */
const NO_NAME = /^(?:\[unknown\]|\(unknown\)|<unknown>|unknown|\?\?|0x[0-9a-f]+)$/i

/** A share from 0 to 1; 1 without frames. */
export function namedShare(data: Dataset): number {
  const { structure, frames, profile } = data
  const self = selfWeights(data, profile.defaultSampleType, null)
  const areas = frameAreas({ ...structure, frames, self, total: totalsOf(structure, self) })
  let [named, all] = [0, 0]
  for (let f = 0; f < frames.ownCount; f++) {
    all += areas[f]!
    if (frames.function[f]! >= 0 && !NO_NAME.test(frames.name[f]!)) named += areas[f]!
  }
  return all > 0 ? named / all : 1
}
