/**
 * Filters that change the shape of the stacks. Each is one pass over the nodes, parents first, that says where every old node is in
 * the new structure (-1: nowhere, its weight is gone). Weights follow the map, so they can change without another pass.
 */
import { MergedNodes } from '../model/merged-nodes.ts'
import { type Frames, libraryFrame } from './frames.ts'
import { spareColumns } from './spare-columns.ts'
import type { ChipKind } from './state.ts'
import type { Structure } from './tree.ts'

/** A new structure, and for each old node the new one. */
export interface Reshaped {
  readonly structure: Structure
  readonly nodeOf: Int32Array
}

type StructureChip = Extract<ChipKind, 'hide' | 'merge' | 'collapse' | 'focus' | 'from'>

/** Decides where a node goes. `above` is where its caller is. */
type Place = (node: number, frame: number, above: number, nodes: MergedNodes) => number

/** True for the kinds that `reshape` knows. */
export function changesStructure(kind: ChipKind): kind is StructureChip {
  return kind in PLACES
}

/** Applies one filter; `mask` marks the frames that its query found. */
export function reshape(old: Structure, frames: Frames, kind: StructureChip, mask: Uint8Array): Reshaped {
  const nodes = new MergedNodes(old.count, (length) => spareColumns.ints(length))
  const nodeOf = spareColumns.ints(old.count)
  const place = PLACES[kind](mask, old, frames)
  // What is above the first match belongs to nothing.
  nodeOf[0] = kind === 'focus' || kind === 'from' ? -1 : 0
  for (let i = 1; i < old.count; i++) nodeOf[i] = place(i, old.frame[i]!, nodeOf[old.parent[i]!]!, nodes)
  return { structure: structureOf(nodes), nodeOf }
}

const fromMatch = (mask: Uint8Array): Place => {
  return (_node, frame, above, nodes) => {
    if (above >= 0) return nodes.child(above, frame)
    return mask[frame] === 1 ? nodes.child(0, frame) : -1
  }
}

const PLACES: Readonly<Record<StructureChip, (mask: Uint8Array, old: Structure, frames: Frames) => Place>> = {
  hide: (mask) => (_node, frame, above, nodes) => (mask[frame] === 1 ? above : nodes.child(above, frame)),
  merge: (mask, old) => {
    const isMerged = new Uint8Array(old.count)
    return (node, frame, above, nodes) => {
      if (mask[frame] !== 1 && isMerged[old.parent[node]!] !== 1) return nodes.child(above, frame)
      isMerged[node] = 1
      return above
    }
  },
  collapse: (mask, _old, frames) => (_node, frame, above, nodes) => {
    if (mask[frame] !== 1) return nodes.child(above, frame)
    const library = libraryFrame(frames, frame)
    return nodes.frame[above] === library ? above : nodes.child(above, library)
  },
  focus: fromMatch,
  from: fromMatch,
}

/** The columns of merged nodes, cut to their length. */
export function structureOf(nodes: MergedNodes): Structure {
  const { count } = nodes
  return {
    count,
    parent: nodes.parent.subarray(0, count),
    frame: nodes.frame.subarray(0, count),
    firstChild: nodes.firstChild.subarray(0, count),
    nextSibling: nodes.nextSibling.subarray(0, count),
  }
}

/** Self weights moved along a map. */
export function movedWeights(self: Float64Array, { structure, nodeOf }: Reshaped): Float64Array {
  const moved = spareColumns.floats(structure.count)
  for (let i = 0; i < nodeOf.length; i++) if (nodeOf[i]! >= 0) moved[nodeOf[i]!]! += self[i]!
  return moved
}

/** 1 for each node that is a match or has one among its callers. */
export function belowMatch({ count, parent, frame }: Structure, mask: Uint8Array): Uint8Array {
  const below = new Uint8Array(count)
  for (let i = 1; i < count; i++) below[i] = mask[frame[i]!] === 1 || below[parent[i]!] === 1 ? 1 : 0
  return below
}
