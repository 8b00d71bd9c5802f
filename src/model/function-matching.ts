/**
 * Who is who in two lists of functions: by name, module and file as far as they agree, then by ever looser keys, as long as there
 * is only one candidate on either side: a renamed binary, a function that moved to another file, the line number that JIT
 * compilers put into names.
 */
import { baseName } from './frame-name.ts'

/** A function as one profile shows it. */
export interface FunctionEntry {
  readonly name: string
  readonly module: string
  readonly file: string
  readonly location: number
  readonly line: number
}

/** What makes a function one of its own within a profile. */
export function fullKey({ name, module, file }: FunctionEntry): string {
  return `${name}\0${module}\0${baseName(file)}`
}

/** An entry as it is compared: `place` is the module where both profiles have that, '' for the others. */
interface Comparable extends FunctionEntry {
  readonly place: string
}

/** Keys from the strictest to the loosest. Of modules that both have, functions of one name stay two. */
const KEYS: readonly ((entry: Comparable) => string)[] = [
  fullKey,
  ({ name, module }) => `${name}\0${module}`,
  ({ name, place }) => `${name}\0${place}`,
  ({ name, place }) => `${looseName(name)}\0${place}`,
]

/** How far from the end of a name those parts may begin; names of a megabyte are only cut. */
const LOOSE_LENGTH = 200

/** Names that a module must share with one of another name to be taken for it. */
const SHARED_NAMES = 2

/** Names that are in more modules than this tell nothing. */
const MAX_HOMES = 32

/**
 * Modules that are in one profile only, paired by the names they share, most first: by their names in `after`, what they were
 * called in `before`. Programs are renamed (app-v1, app-v2), and `_start` or `main` alone are in all of them.
 */
function renamedModules(
  before: readonly FunctionEntry[],
  after: readonly FunctionEntry[],
): ReadonlyMap<string, string> {
  const modules = (entries: readonly FunctionEntry[]) => new Set(entries.map(({ module }) => module))
  const [inBefore, inAfter] = [modules(before), modules(after)]
  const homes = new Map<string, Set<string>>()
  for (const { name, module } of before) {
    if (inAfter.has(module)) continue
    const known = homes.get(name)
    if (known === undefined) homes.set(name, new Set([module]))
    else known.add(module)
  }
  const shared = new Map<string, { from: string; to: string; names: number }>()
  for (const { name, module: to } of after) {
    if (inBefore.has(to)) continue
    const candidates = homes.get(name)
    if (candidates === undefined || candidates.size > MAX_HOMES) continue
    for (const from of candidates) {
      const pair = shared.get(`${from}\0${to}`) ?? { from, to, names: 0 }
      pair.names++
      shared.set(`${from}\0${to}`, pair)
    }
  }
  const renamed = new Map<string, string>()
  const taken = new Set<string>()
  for (const { from, to, names } of [...shared.values()].sort((x, y) => y.names - x.names)) {
    if (names < SHARED_NAMES || taken.has(from) || renamed.has(to)) continue
    renamed.set(to, from)
    taken.add(from)
  }
  return renamed
}

/** Index into `after` of the partner of each entry of `before`, -1 for none. Full keys are unique on either side. */
export function partners(before: readonly FunctionEntry[], after: readonly FunctionEntry[]): Int32Array {
  const renamed = renamedModules(before, after)
  const alike = after.map((entry) => ({ ...entry, module: renamed.get(entry.module) ?? entry.module }))
  const [ours, theirs] = [placed(before, alike), placed(alike, before)]
  const partner = new Int32Array(before.length).fill(-1)
  const isTaken = new Uint8Array(after.length)
  for (const key of KEYS) {
    const candidates = uniqueBy(theirs, key, (i) => isTaken[i] === 0)
    for (const [text, i] of uniqueBy(ours, key, (k) => partner[k] === -1)) {
      const match = candidates.get(text) ?? -1
      if (i < 0 || match < 0) continue
      partner[i] = match
      isTaken[match] = 1
    }
  }
  return partner
}

function placed(entries: readonly FunctionEntry[], other: readonly FunctionEntry[]): Comparable[] {
  const modules = new Set(other.map(({ module }) => module))
  return entries.map((entry) => ({ ...entry, place: modules.has(entry.module) ? entry.module : '' }))
}

/** Index by key of the entries that are free; -1 for a key that several have. */
function uniqueBy(
  entries: readonly Comparable[],
  key: (entry: Comparable) => string,
  isFree: (index: number) => boolean,
): Map<string, number> {
  const found = new Map<string, number>()
  for (const [i, entry] of entries.entries()) {
    if (!isFree(i)) continue
    const text = key(entry)
    found.set(text, found.has(text) ? -1 : i)
  }
  return found
}

/**
 * A name without what differs from build to build: hashes of Rust, numbers of LLVM's and GCC's clones, and the position
 * that JIT compilers append ('JS:*parse /app/json.js:12:3').
 */
function looseName(name: string): string {
  const end = name
    .slice(-LOOSE_LENGTH)
    .replace(/(\.(llvm|constprop|part|isra|cold|lto_priv)(\.\d+)*)+$/, '')
    .replace(/::h[0-9a-f]{16}$/, '')
    .replace(/(:\d+){1,2}$/, '')
  return name.slice(0, -LOOSE_LENGTH) + end
}
