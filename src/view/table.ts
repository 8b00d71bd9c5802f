/** Rows of the table of functions, and the order they stand in. */
import { FRAME_KINDS } from '../model/profile.ts'
import { type Compared, changeOf } from './comparison.ts'
import { type Frames, functionKey, libraryOf } from './frames.ts'
import type { FunctionWeights } from './functions.ts'
import type { TableRow } from './protocol.ts'
import { exactQuery } from './query.ts'
import type { SortColumn, ViewState } from './state.ts'

/** What rows are made of. */
export interface TableSource {
  readonly frames: Frames
  readonly hue: ArrayLike<number>
  readonly weights: FunctionWeights
  /** Null when nothing is compared. */
  readonly compared: Compared | null
}

/** Functions with weight on either side, in the wanted order; `mask` limits them to those with a frame that was found. */
export function sortedFunctions(
  source: TableSource,
  sort: ViewState['sort'],
  mask: Uint8Array | null,
): Int32Array {
  const { weights, frames } = source
  const before = source.compared?.before ?? null
  const wanted = mask === null ? null : functionsFound(frames, mask)
  const fns: number[] = []
  for (let fn = 0; fn < weights.count; fn++) {
    const hasWeight = weights.total[fn]! > 0 || (before !== null && before.total[fn]! > 0)
    if (hasWeight && (wanted === null || wanted[fn] === 1)) fns.push(fn)
  }
  const order = orderOf(source, sort.by)
  const sign = sort.descending ? 1 : -1
  return Int32Array.from(fns).sort((a, b) => sign * order(a, b) || a - b)
}

function functionsFound(frames: Frames, mask: Uint8Array): Uint8Array {
  const found = new Uint8Array(frames.functionFrame.length)
  for (let f = 0; f < mask.length; f++) if (mask[f] === 1) found[frames.fn[f]!] = 1
  return found
}

/** Compares two functions, what comes first in descending order is negative. Names descend from A to Z. */
function orderOf(
  { frames, weights, compared }: TableSource,
  by: SortColumn,
): (a: number, b: number) => number {
  const { self, total } = weights
  if (by === 'name') {
    const nameOf = (fn: number): string => frames.name[frames.functionFrame[fn]!]!
    return (a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0)
  }
  if (by === 'change' && compared !== null) {
    const { change } = compared.judgement.total
    const size = (fn: number): number => Math.abs(change[fn]!) || 0
    return (a, b) => size(b) - size(a)
  }
  if (by === 'total') return (a, b) => total[b]! - total[a]! || self[b]! - self[a]!
  return (a, b) => self[b]! - self[a]! || total[b]! - total[a]!
}

/** One row. */
export function tableRow(source: TableSource, fn: number): TableRow {
  const { frames, hue, weights, compared } = source
  const frame = frames.functionFrame[fn]!
  const before = compared?.before ?? null
  return {
    fn,
    key: functionKey(frames, frame),
    name: frames.name[frame]!,
    hue: hue[frame] ?? 60,
    kind: FRAME_KINDS[frames.kind[frame]!]!,
    self: weights.self[fn] ?? 0,
    total: weights.total[fn] ?? 0,
    place: placeOf(frames, frame),
    buildId:
      frames.profile.mappings[frames.profile.locations[frames.location[frame]!]!.mapping]?.buildId ?? '',
    query: exactQuery(frames.name[frame]!),
    library: libraryQuery(frames, frame),
    places: weights.places[fn] ?? 0,
    before: before === null ? null : { self: before.self[fn] ?? 0, total: before.total[fn] ?? 0 },
    change: compared === null ? null : changeOf(compared, fn, 'total'),
  }
}

const KIND_WORDS = { native: '', kernel: 'kernel', jit: 'JIT', interpreted: 'interpreted' } as const

/** Where a frame's code is, as far as known: `src/json.ts:88`, the binary, and what kind of code it is. */
function placeOf(frames: Frames, frame: number): string[] {
  const { profile } = frames
  const location = profile.locations[frames.location[frame]!]!
  const entry = profile.functions[frames.function[frame]!]
  const line = entry?.startLine || location.lines[frames.line[frame]!]?.line || 0
  const at =
    entry === undefined || entry.fileName === '' ? '' : `${entry.fileName}${line > 0 ? `:${line}` : ''}`
  const parts = [at, frames.module[frame]!, KIND_WORDS[FRAME_KINDS[frames.kind[frame]!]!]]
  if (frames.inlined[frame] === 1) parts.push('inlined')
  if (entry === undefined && location.unnamedReason !== '')
    parts.push(location.unnamedReason.replaceAll('_', ' '))
  return parts.filter((part, i) => part !== '' && parts.indexOf(part) === i)
}

/** A query for the frames of the same library, '' when it is not known. */
function libraryQuery(frames: Frames, frame: number): string {
  if (FRAME_KINDS[frames.kind[frame]!] === 'kernel') return 'kind:kernel'
  const module = frames.module[frame]!
  return module === '' ? `pkg:"${libraryOf(frames, frame)}"` : `bin:"${module}"`
}
