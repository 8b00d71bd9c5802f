/**
 * An open profile, ready to be filtered: its distinct frames and its stacks merged into one structure, once. Weights come later, from
 * whichever rows and column are wanted. Two profiles that are compared are one dataset, with a side for each row.
 */
import { AgentError } from '../errors.ts'
import { ProfileMerger } from '../model/merge-profiles.ts'
import { mergeStacks } from '../model/merged-nodes.ts'
import type { Profile } from '../model/profile.ts'
import { type Frames, framesOf } from './frames.ts'
import { structureOf } from './structure-filters.ts'
import type { Structure } from './tree.ts'

/** A profile and what is computed of it once. */
export interface Dataset {
  readonly profile: Profile
  readonly frames: Frames
  readonly structure: Structure
  /** Node of each stack of the profile's table. */
  readonly nodeOfStack: Int32Array
  /** 1 for each row of the profile that is looked at, where a baseline is in the same tables; null: all rows are. */
  readonly afterRows: Uint8Array | null
  readonly beforeRows: Uint8Array | null
  /** Seconds of wall time of each side; null where there is one profile. */
  readonly afterSeconds: number | null
  readonly beforeSeconds: number | null
}

/** Prepares one profile. Errors: AgentError `input_invalid` past 2^26 nodes. */
export function datasetOf(profile: Profile): Dataset {
  return prepared(profile, true, {
    afterRows: null,
    beforeRows: null,
    afterSeconds: null,
    beforeSeconds: null,
  })
}

/** Prepares two, the second of them to be looked at. Errors: AgentError when their sample types differ, or they are too many. */
export function comparedDatasetOf(before: Profile, after: Profile): Dataset {
  const beforeCount = before.samples.stack.length
  const merger = new ProfileMerger()
  // Both begin at 0: a range of time is the same part of each, however long ago the older one was made.
  merger.add({ ...before, timeNs: after.timeNs })
  merger.add(after)
  const merged = merger.finish()
  if (merged === null) throw new AgentError('internal', 'two profiles merged into none; please report this')
  const rows = merged.samples.stack.length
  const beforeRows = new Uint8Array(rows).fill(1, 0, beforeCount)
  const afterRows = new Uint8Array(rows).fill(1, beforeCount)
  const [beforeSeconds, afterSeconds] = [secondsOf(before), secondsOf(after)]
  return prepared(merged, false, { afterRows, beforeRows, afterSeconds, beforeSeconds })
}

function secondsOf({ durationNs }: Profile): number {
  return Number(durationNs) / 1e9
}

type SideFacts = Pick<Dataset, 'afterRows' | 'beforeRows' | 'afterSeconds' | 'beforeSeconds'>

function prepared(profile: Profile, byFile: boolean, sides: SideFacts): Dataset {
  const frames = framesOf(profile, byFile)
  const { nodes, nodeOf } = mergeStacks(profile.stacks, frames, usedStacks(profile))
  return { profile, frames, structure: structureOf(nodes), nodeOfStack: nodeOf, ...sides }
}

/** 1 for each stack that a row ends in, and for its callers. */
function usedStacks({ stacks, samples }: Profile): Uint8Array {
  const used = new Uint8Array(stacks.parent.length)
  for (let row = 0; row < samples.stack.length; row++)
    if (samples.stack[row]! >= 0) used[samples.stack[row]!] = 1
  for (let i = used.length - 1; i >= 0; i--) {
    if (used[i] === 1 && stacks.parent[i]! >= 0) used[stacks.parent[i]!] = 1
  }
  return used
}

/** Self weights of the nodes: the values above zero of a column, of the rows that are wanted (null: all). */
export function selfWeights(data: Dataset, column: number, rows: Uint8Array | null): Float64Array {
  const { profile, nodeOfStack, structure } = data
  const { stack } = profile.samples
  const values = profile.samples.values[column] ?? new Float64Array(0)
  const self = new Float64Array(structure.count)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]!
    if (value > 0 && (rows === null || rows[row] === 1))
      self[stack[row]! < 0 ? 0 : nodeOfStack[stack[row]!]!]! += value
  }
  return self
}
