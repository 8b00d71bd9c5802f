/**
 * The distinct frames of a profile and the frames each location stands for: what "the same frame" means when stacks
 * are merged. Named frames are equal when function, kind and inlining are; unnamed ones when module and offset are.
 */
import { moduleOffset } from './frame-name.ts'
import { FRAME_KINDS, type Location, type Profile } from './profile.ts'

/** Distinct frames as columns; index = frame id. */
export interface FlameFrames {
  readonly count: number
  /** Index into `Profile.functions`, -1 for an unnamed frame. */
  readonly function: Int32Array
  /** The first location that showed the frame. */
  readonly location: Int32Array
  /** Index into that location's `lines`, -1 for an unnamed frame. */
  readonly line: Int32Array
  /** Index into FRAME_KINDS. */
  readonly kind: Uint8Array
  /** 1 when the function was inlined into its caller. */
  readonly inlined: Uint8Array
  /** Frames of location l, outermost first: `byLocation[start[l]..start[l + 1])`; never empty. */
  readonly start: Int32Array
  readonly byLocation: Int32Array
}

/** Interns the frames of every location, used by a stack or not. */
export function flameFrames(profile: Profile): FlameFrames {
  const table = allocateFrames(profile)
  const named = new Int32Array(profile.functions.length * FRAME_KINDS.length * 2).fill(-1)
  const unnamed = new Map<bigint, number>()
  let count = 0
  let at = 0
  const add = (location: number, line: number, fn: number, kind: number, inlined: number): number => {
    table.function[count] = fn
    table.location[count] = location
    table.line[count] = line
    table.kind[count] = kind
    table.inlined[count] = inlined
    return count++
  }
  for (let l = 0; l < profile.locations.length; l++) {
    const location = profile.locations[l]!
    const kind = Math.max(0, FRAME_KINDS.indexOf(location.kind))
    table.start[l] = at
    for (let i = location.lines.length - 1; i >= 0; i--) {
      const fn = location.lines[i]!.function
      const inlined = i < location.lines.length - 1 ? 1 : 0
      const key = (fn * FRAME_KINDS.length + kind) * 2 + inlined
      if (named[key] === -1) named[key] = add(l, i, fn, kind, inlined)
      table.byLocation[at++] = named[key]!
    }
    if (location.lines.length > 0) continue
    const key = unnamedKey(profile, location, kind)
    const known = unnamed.get(key)
    const frame = known ?? add(l, -1, -1, kind, 0)
    if (known === undefined) unnamed.set(key, frame)
    table.byLocation[at++] = frame
  }
  table.start[profile.locations.length] = at
  return { ...table, count }
}

/** Columns for as many frames as there could be: one a line, or one for a location without lines. */
function allocateFrames(profile: Profile): Omit<FlameFrames, 'count'> {
  let most = 0
  for (const location of profile.locations) most += Math.max(1, location.lines.length)
  return {
    function: new Int32Array(most),
    location: new Int32Array(most),
    line: new Int32Array(most),
    kind: new Uint8Array(most),
    inlined: new Uint8Array(most),
    start: new Int32Array(profile.locations.length + 1),
    byLocation: new Int32Array(most),
  }
}

/** Offset in the low 64 bits, kind and module above them, so that no two unnamed frames share a key. */
function unnamedKey(profile: Profile, location: Location, kind: number): bigint {
  return ((BigInt(location.mapping + 1) << 3n) | BigInt(kind)) * (1n << 64n) + moduleOffset(profile, location)
}
