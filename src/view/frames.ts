/**
 * The distinct frames of a profile as a reader knows them, and what there is to say of each, as columns.
 *
 * Frames are the same when function name, source file, binary, kind and inlining are: ids of a file mean nothing, so two builds
 * of a program, or two windows, show the same frame as one. `byFile` false leaves the source file out, for comparisons of builds
 * whose sources moved. A chip may add frames that stand for a whole library.
 */
import { type ColouredFrames, colourFrames, groupName, packageName } from '../model/colour-groups.ts'
import { baseName, frameName, functionName, unnamedLocation } from '../model/frame-name.ts'
import { FRAME_KINDS, type Profile } from '../model/profile.ts'
import type { Colouring } from './state.ts'

/** Frames by id; the first `ownCount` are the profile's, in the order of its locations. */
export interface Frames {
  readonly profile: Profile
  readonly ownCount: number
  count: number
  readonly name: string[]
  /** Base name of the binary, '' when unknown. */
  readonly module: string[]
  /** Source path, '' when unknown. */
  readonly file: string[]
  /** Row of the table of functions. */
  readonly fn: number[]
  /** Index into FRAME_KINDS. */
  readonly kind: number[]
  readonly inlined: number[]
  /** The first location that showed the frame, and the index into its `lines` (-1: unnamed). */
  readonly location: number[]
  readonly line: number[]
  /** Index into `Profile.functions`, -1 for an unnamed frame. */
  readonly function: number[]
  /** Functions: rows of the table, each with a frame that stands for it. */
  readonly functionFrame: number[]
  /** Frames of location l, outermost first: `byLocation[start[l]..start[l + 1])`; never empty. */
  readonly start: Int32Array
  readonly byLocation: Int32Array
  /** Frame that stands for a library, by module. */
  readonly libraries: Map<string, number>
}

/** Interns the frames of every location. Cost: linear in lines, a look-up of numbers each. */
export function framesOf(profile: Profile, byFile: boolean): Frames {
  const functionClass = classes(profile.functions, (entry) =>
    byFile ? `${functionName(entry)}\0${entry.fileName}` : functionName(entry),
  )
  const moduleClass = classes(profile.mappings, ({ fileName }) => baseName(fileName))
  const moduleCount = profile.mappings.length + 1
  const rows = new Map<number | string, number>()
  const ids = new Map<number, number>()
  const frames = emptyFrames(profile)
  let at = 0
  const add = (row: number, kind: number, inlined: number, location: number, line: number): number => {
    const key = (row * FRAME_KINDS.length + kind) * 2 + inlined
    const known = ids.get(key)
    if (known !== undefined) return known
    const id = frames.count++
    ids.set(key, id)
    const place = profile.locations[location]!
    const entry = line < 0 ? undefined : profile.functions[place.lines[line]!.function]
    frames.name.push(entry === undefined ? unnamedLocation(profile, place) : functionName(entry))
    frames.module.push(baseName(profile.mappings[place.mapping]?.fileName ?? ''))
    frames.file.push(entry?.fileName ?? '')
    frames.fn.push(row)
    frames.kind.push(kind)
    frames.inlined.push(inlined)
    frames.location.push(location)
    frames.line.push(line)
    frames.function.push(line < 0 ? -1 : place.lines[line]!.function)
    if (frames.functionFrame[row] === undefined) frames.functionFrame[row] = id
    return id
  }
  const rowOf = (key: number | string): number => {
    const known = rows.get(key)
    if (known !== undefined) return known
    rows.set(key, rows.size)
    return rows.size - 1
  }
  for (let l = 0; l < profile.locations.length; l++) {
    const location = profile.locations[l]!
    const kind = Math.max(0, FRAME_KINDS.indexOf(location.kind))
    const module = location.mapping < 0 ? moduleCount - 1 : moduleClass[location.mapping]!
    frames.start[l] = at
    for (let i = location.lines.length - 1; i >= 0; i--) {
      const row = rowOf(functionClass[location.lines[i]!.function]! * moduleCount + module)
      frames.byLocation[at++] = add(row, kind, i < location.lines.length - 1 ? 1 : 0, l, i)
    }
    if (location.lines.length === 0)
      frames.byLocation[at++] = add(rowOf(`${module} ${unnamedLocation(profile, location)}`), kind, 0, l, -1)
  }
  frames.start[profile.locations.length] = at
  return { ...frames, ownCount: frames.count }
}

function emptyFrames(profile: Profile): Omit<Frames, 'ownCount'> {
  let most = 0
  for (const { lines } of profile.locations) most += Math.max(1, lines.length)
  return {
    profile,
    count: 0,
    name: [],
    module: [],
    file: [],
    fn: [],
    kind: [],
    inlined: [],
    location: [],
    line: [],
    function: [],
    functionFrame: [],
    start: new Int32Array(profile.locations.length + 1),
    byLocation: new Int32Array(most),
    libraries: new Map(),
  }
}

/** For each entry the index of the first one with the same text. */
function classes<Entry>(entries: readonly Entry[], textOf: (entry: Entry) => string): Int32Array {
  const first = new Map<string, number>()
  return Int32Array.from(entries, (entry, i) => {
    const text = textOf(entry)
    const known = first.get(text)
    if (known !== undefined) return known
    first.set(text, i)
    return i
  })
}

/** Name of a frame's library for people: its binary, else the package or folder it belongs to. */
export function libraryOf(frames: Frames, frame: number): string {
  return frames.module[frame] || groupName(coloured(frames, []), frame)
}

/** The frame that stands for the library of another frame, made at the first call. */
export function libraryFrame(frames: Frames, frame: number): number {
  const name = libraryOf(frames, frame)
  const known = frames.libraries.get(name)
  if (known !== undefined) return known
  const id = frames.count++
  frames.name.push(`[${name}]`)
  frames.module.push(frames.module[frame]!)
  frames.file.push('')
  frames.fn.push(frames.functionFrame.push(id) - 1)
  frames.kind.push(frames.kind[frame]!)
  frames.inlined.push(0)
  frames.location.push(frames.location[frame]!)
  frames.line.push(-1)
  frames.function.push(-1)
  frames.libraries.set(name, id)
  return id
}

/** Name of a frame in another profile whose tables have the same order, as a redacted one; a library's has no name there. */
export function nameIn(profile: Profile, frames: Frames, frame: number): string {
  if (!(frame >= 0)) return ''
  const isLibrary = frame >= frames.ownCount
  return isLibrary ? '[library]' : frameName(profile, frames.location[frame]!, frames.line[frame]!)
}

/** Names a frame in a zoom path, the same in every profile: `parseJson@app.js`, with a mark where it was inlined. */
export function frameKey(frames: Frames, frame: number): string {
  return frames.inlined[frame] === 1 ? `${functionKey(frames, frame)} (inlined)` : functionKey(frames, frame)
}

/** Names the function of a frame, the same in every profile. */
export function functionKey(frames: Frames, frame: number): string {
  const module = frames.module[frame]!
  return module === '' ? frames.name[frame]! : `${frames.name[frame]}@${module}`
}

/** Hue of each frame, and the groups behind the hues, heaviest first. */
export interface FrameHues {
  readonly hue: ArrayLike<number>
  readonly groups: readonly { readonly name: string; readonly hue: number; readonly value: number }[]
}

/** Colours by a rule. `weight` is the area of each frame in the unfiltered drawing, so that filters change no colour. */
export function huesOf(frames: Frames, weight: Float64Array, colouring: Colouring): FrameHues {
  if (colouring === 'kind') return huesByKind(frames, weight)
  const nameOf = colouring === 'binary' ? groupName : packageName
  const { groups, hueOfFrame } = colourFrames(coloured(frames, weight), nameOf)
  return { hue: hueOfFrame, groups: groups.filter(({ isFunction }) => !isFunction) }
}

function coloured(frames: Frames, frameWeight: ArrayLike<number>): ColouredFrames {
  return { profile: frames.profile, frames, frameWeight }
}

const KIND_HUES = { native: 90, kernel: 0, jit: 45, interpreted: 300 } as const
const KIND_NAMES = { native: 'native', kernel: 'kernel', jit: 'JIT', interpreted: 'interpreted' } as const

function huesByKind(frames: Frames, weight: Float64Array): FrameHues {
  const value = FRAME_KINDS.map(() => 0)
  for (let f = 0; f < weight.length; f++) value[frames.kind[f]!]! += weight[f]!
  const groups = FRAME_KINDS.map((kind, i) => ({
    name: KIND_NAMES[kind],
    hue: KIND_HUES[kind],
    value: value[i]!,
  }))
  return {
    hue: frames.kind.map((kind) => KIND_HUES[FRAME_KINDS[kind]!]),
    groups: groups.filter((group) => group.value > 0).sort((a, b) => b.value - a.value),
  }
}
