/**
 * Which function of one profile is which of another: the shared list of functions that a diff speaks of.
 *
 * Names and modules decide; ids, addresses, build ids, directories and the order of tables do not, so two builds of a program
 * can be compared (function-matching.ts has the rules).
 */
import { baseName, functionName, moduleName, unnamedLocation } from './frame-name.ts'
import { type FunctionEntry, fullKey, partners } from './function-matching.ts'
import type { Location, Profile } from './profile.ts'

/** Where a function of the list is first seen in one profile. */
export interface FunctionPlaces {
  /** Index into that profile's `locations`, -1 where it is in the other profile only. */
  readonly location: Int32Array
  /** Index into that location's `lines`, -1 for functions without names. */
  readonly line: Int32Array
}

/** Functions of two profiles in the order of their names, as columns; index = function of the diff. */
export interface DiffFunctions {
  readonly count: number
  /** As the newer profile has it, if it does. */
  readonly name: readonly string[]
  /** Base name of the binary, '' when unknown. */
  readonly module: readonly string[]
  /** Source file, else the binary, else ''. */
  readonly file: readonly string[]
  readonly before: FunctionPlaces
  readonly after: FunctionPlaces
}

/** Functions of each location of one profile, outermost first: `byLocation[start[l]..start[l + 1])`; never empty. */
export interface LocationFunctions {
  readonly start: Int32Array
  readonly byLocation: Int32Array
}

/** The list, and how to get from the locations of either profile into it. */
export interface MatchedFunctions {
  readonly functions: DiffFunctions
  readonly before: LocationFunctions
  readonly after: LocationFunctions
}

/** One side's distinct functions, before they are matched. */
interface SideFunctions {
  readonly entries: FunctionEntry[]
  readonly locations: LocationFunctions
}

/** Run-time code is named after the process: perf-4242.map, jitted-4242-7.so. */
const JIT_FILE = /^(perf-\d+\.map|jitted-\d+-\d+\.so)$/

/** Matches the functions of two profiles; cost is linear in locations, and n log n in functions. */
export function matchFunctions(before: Profile, after: Profile): MatchedFunctions {
  const stable = stableModules(before, after)
  const a = sideFunctions(before, stable)
  // Two selections of one profile: every function is its own partner.
  const b = before === after ? a : sideFunctions(after, stable)
  const partner = a === b ? a.entries.map((_, i) => i) : partners(a.entries, b.entries)
  const pairs = pairsOf(a.entries.length, b.entries.length, partner)
  const shown = ({ a: one, b: other }: Pair): FunctionEntry => b.entries[other] ?? a.entries[one]!
  pairs.sort((x, y) => compareEntries(shown(x), shown(y)))
  return {
    functions: {
      count: pairs.length,
      name: pairs.map((pair) => shown(pair).name),
      module: pairs.map((pair) => shown(pair).module),
      file: pairs.map((pair) => shown(pair).file),
      before: placesOf(pairs.map((pair) => a.entries[pair.a])),
      after: placesOf(pairs.map((pair) => b.entries[pair.b])),
    },
    before: renumbered(a.locations, pairs, (pair) => pair.a),
    after: renumbered(b.locations, pairs, (pair) => pair.b),
  }
}

/** Modules that are the same build on both sides (all, of one profile): only there an address without a name means the same code. */
function stableModules(before: Profile, after: Profile): ReadonlySet<string> {
  if (before === after) return new Set(['', ...before.mappings.map(({ fileName }) => baseName(fileName))])
  const builds = (profile: Profile): Map<string, string> => {
    const found = new Map<string, string>()
    for (const { fileName, buildId } of profile.mappings) {
      const module = baseName(fileName)
      // Two builds of one name: neither is the one.
      found.set(module, (found.get(module) ?? buildId) === buildId ? buildId : '')
    }
    return found
  }
  const other = builds(after)
  const same = [...builds(before)].filter(([module, id]) => id !== '' && other.get(module) === id)
  return new Set(same.map(([module]) => module))
}

function sideFunctions(profile: Profile, stable: ReadonlySet<string>): SideFunctions {
  const entries: FunctionEntry[] = []
  const ids = new Map<string, number>()
  const start = new Int32Array(profile.locations.length + 1)
  const byLocation: number[] = []
  const add = (entry: FunctionEntry): void => {
    const key = fullKey(entry)
    const known = ids.get(key)
    if (known === undefined) ids.set(key, entries.length)
    byLocation.push(known ?? entries.push(entry) - 1)
  }
  for (const [index, location] of profile.locations.entries()) {
    const module = moduleName(profile, location).replace(JIT_FILE, '[jit]')
    const file = profile.mappings[location.mapping]?.fileName ?? ''
    for (let line = location.lines.length - 1; line >= 0; line--) {
      const entry = profile.functions[location.lines[line]!.function]!
      add({ name: functionName(entry), module, file: entry.fileName || file, location: index, line })
    }
    if (location.lines.length === 0) {
      add({ name: unnamed(profile, location, stable), module, file, location: index, line: -1 })
    }
    start[index + 1] = byLocation.length
  }
  return { entries, locations: { start, byLocation: Int32Array.from(byLocation) } }
}

/** Code without a name: by offset in the same build, all of a module together in different ones. */
function unnamed(profile: Profile, location: Location, stable: ReadonlySet<string>): string {
  const module = moduleName(profile, location)
  if (stable.has(module)) return unnamedLocation(profile, location)
  return module === '' ? '[no name]' : `[no name in ${module}]`
}

/** Indices into the entries of either side; -1 for none. */
interface Pair {
  readonly a: number
  readonly b: number
}

function pairsOf(before: number, after: number, partner: ArrayLike<number>): Pair[] {
  const pairs: Pair[] = []
  const isTaken = new Uint8Array(after)
  for (let a = 0; a < before; a++) {
    const b = partner[a]!
    if (b >= 0) isTaken[b] = 1
    pairs.push({ a, b })
  }
  for (let b = 0; b < after; b++) if (isTaken[b] === 0) pairs.push({ a: -1, b })
  return pairs
}

function compareEntries(a: FunctionEntry, b: FunctionEntry): number {
  return compareText(a.name, b.name) || compareText(a.module, b.module) || compareText(a.file, b.file)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function placesOf(entries: readonly (FunctionEntry | undefined)[]): FunctionPlaces {
  return {
    location: Int32Array.from(entries, (entry) => entry?.location ?? -1),
    line: Int32Array.from(entries, (entry) => entry?.line ?? -1),
  }
}

/** From indices of a side's entries to those of the list. */
function renumbered(
  { start, byLocation }: LocationFunctions,
  pairs: readonly Pair[],
  entryOf: (pair: Pair) => number,
): LocationFunctions {
  const ids = new Int32Array(pairs.length)
  for (const [id, pair] of pairs.entries()) if (entryOf(pair) >= 0) ids[entryOf(pair)] = id
  return { start, byLocation: byLocation.map((entry) => ids[entry]!) }
}
