/**
 * Which colour a frame has: one hue per binary, or per package where all code sits in one binary (Go, Java, folded
 * text). Hues are slots found by a hash of the name, so a library keeps its colour from profile to profile; where two
 * of the heaviest groups would meet in a slot, the lighter one moves on to the next.
 */

import { frameLabel, type LabelledFrames } from './frame-label.ts'
import { moduleName } from './frame-name.ts'
import { FRAME_KINDS } from './profile.ts'

/** A group of frames with one hue, in degrees of oklch. `value` is the area it has in the whole graph. */
export interface ColourGroup {
  readonly name: string
  readonly hue: number
  readonly value: number
  /** The group is one function: nothing is known of where it belongs. */
  readonly isFunction: boolean
}

/** Groups heaviest first, and the hue of each frame. */
export interface Colours {
  readonly groups: readonly ColourGroup[]
  readonly hueOfFrame: Uint16Array
}

/** Kernel frames are recognised everywhere: their hue is nobody else's. */
const KERNEL_HUE = 0
/** Well apart, for the groups one sees; the rest shares them with the hues between. */
const MAIN_HUES = [45, 90, 145, 195, 245, 300] as const
const ALL_HUES = [...MAIN_HUES, 68, 118, 170, 220, 272, 325] as const

/** What of a tree colours depend on: its frames, and by frame the area that it has in the drawing. */
export interface ColouredFrames extends LabelledFrames {
  readonly frames: LabelledFrames['frames'] & {
    readonly count: number
    readonly kind: ArrayLike<number>
    /** Index into `Profile.functions`, -1 for an unnamed frame. */
    readonly function: ArrayLike<number>
  }
  readonly frameWeight: ArrayLike<number>
}

/** Names the group of a frame. */
export type Grouping = (tree: ColouredFrames, frame: number) => string

/** Colours of a tree's frames. */
export function colourFrames(tree: ColouredFrames, nameOf: Grouping = groupName): Colours {
  const names: string[] = []
  const ids = new Map<string, number>()
  const alone: boolean[] = []
  const groupOfFrame = new Int32Array(tree.frames.count)
  for (let f = 0; f < tree.frames.count; f++) {
    const name = nameOf(tree, f)
    const id = ids.get(name) ?? names.push(name) - 1
    ids.set(name, id)
    alone[id] = (alone[id] ?? true) && name === frameLabel(tree, f)
    groupOfFrame[f] = id
  }
  const weight = new Float64Array(names.length)
  for (let f = 0; f < groupOfFrame.length; f++) weight[groupOfFrame[f]!]! += tree.frameWeight[f]!
  const order = names.map((_, id) => id).sort((a, b) => weight[b]! - weight[a]! || a - b)
  const hueByRank = distinctHues(order.map((id) => names[id]!))
  const hues = new Uint16Array(names.length)
  order.forEach((id, rank) => {
    hues[id] = hueByRank[rank]!
  })
  return {
    groups: order.map((id) => ({
      name: names[id]!,
      hue: hues[id]!,
      value: weight[id]!,
      isFunction: alone[id]!,
    })),
    hueOfFrame: Uint16Array.from(groupOfFrame, (id) => hues[id]!),
  }
}

/** A hue for each name, always the same one unless an earlier name has it; the first six are well apart. */
export function distinctHues(names: readonly string[]): number[] {
  const taken = new Set<number>()
  return names.map((name) => {
    if (name === 'kernel') return KERNEL_HUE
    const isMain = taken.size < MAIN_HUES.length
    let slot = fnv1a(name) % (isMain ? MAIN_HUES.length : ALL_HUES.length)
    while (isMain && taken.has(slot)) slot = (slot + 1) % MAIN_HUES.length
    taken.add(slot)
    return ALL_HUES[slot]!
  })
}

/** Binary, script or package of a frame, for people. */
export function groupName(tree: ColouredFrames, frame: number): string {
  const location = tree.profile.locations[tree.frames.location[frame]!]!
  const kind = FRAME_KINDS[tree.frames.kind[frame]!]
  if (kind === 'kernel') return 'kernel'
  const module = moduleName(tree.profile, location)
  if (kind === 'jit' || kind === 'interpreted') {
    const file = tree.profile.functions[tree.frames.function[frame]!]?.fileName ?? ''
    return file === '' ? 'run-time code' : packageOfFile(file)
  }
  if (tree.frames.function[frame]! < 0) return module === '' ? 'unknown' : module
  return goPackage(tree, frame) ?? (module === '' ? packageOf(frameLabel(tree, frame)) : module)
}

/** Package, namespace or folder of a frame, also where its binary is known. */
export function packageName(tree: ColouredFrames, frame: number): string {
  const kind = FRAME_KINDS[tree.frames.kind[frame]!]
  if (kind !== 'native' || tree.frames.function[frame]! < 0) return groupName(tree, frame)
  const name = frameLabel(tree, frame)
  const scope = goPackage(tree, frame) ?? packageOf(name)
  return scope === name ? groupName(tree, frame) : scope
}

function goPackage(tree: ColouredFrames, frame: number): string | null {
  const file = tree.profile.functions[tree.frames.function[frame]!]!.fileName
  const path = /\.(?:go|s)$/.test(file) ? /^((?:[\w.-]+\/)*[\w-]+)\./ : /^((?:[\w.-]+\/)+[\w-]+)\./
  return path.exec(frameLabel(tree, frame))?.[1] ?? null
}

/** `express` of `…/node_modules/express/lib/x.js`, `node:internal` of `node:internal/timers`, else the file's folder. */
function packageOfFile(file: string): string {
  const installed = /.*\/(?:node_modules|site-packages|dist-packages)\/((?:@[^/]+\/)?[^/]+)/.exec(file)
  if (installed !== null) return installed[1]!
  const parts = file.replace(/^[a-z]+:\/\//, '').split('/')
  return parts.length > 1 ? parts[parts.length - 2] || parts[parts.length - 1]! : file
}

/** `std` of `std::vec::push`, `java/util` of `java.util.List.add`, the name itself where it has no parts. */
function packageOf(name: string): string {
  const plain = name.replace(/^[<(&*]+/, '')
  const scope = /^([\w$]+)::/.exec(plain)
  if (scope !== null) return scope[1]!
  const dotted = /^([\w$]+(?:[./][\w$]+)?)[./][\w$]+/.exec(plain)
  return dotted === null ? name : dotted[1]!
}

/** FNV-1a, 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
