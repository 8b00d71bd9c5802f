/**
 * The text for a frame: one rule, so that the page, the terminal and the text formats call it the same thing.
 *
 * A location without lines (nobody found a symbol) is shown as `file+0xoffset`: the offset is into the file, so
 * that it can be looked up in it and is the same in each process. Suffixes of text formats (`_[k]` and the like) are
 * their writers' business.
 */
import type { Location, Profile, ProfileFunction } from './profile.ts'

/** The name of a function for people: demangled if known, never empty. */
export function functionName(entry: ProfileFunction): string {
  return entry.name || entry.systemName || '[unknown]'
}

/** Last component of a path; a name without a slash ('[vdso]') as it is. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Base name of the executable a location lies in, '' when it has no mapping or the mapping has no name. */
export function moduleName(profile: Profile, location: Location): string {
  return baseName(profile.mappings[location.mapping]?.fileName ?? '')
}

/** Position of a location in its executable: a file offset where the mapping leads there, else the address. */
export function moduleOffset(profile: Profile, location: Location): bigint {
  const address = BigInt.asUintN(64, location.address)
  const mapping = profile.mappings[location.mapping]
  if (mapping === undefined || mapping.fileName === '' || mapping.limit === 0n) return address
  const start = BigInt.asUintN(64, mapping.start)
  return address < start ? address : BigInt.asUintN(64, address - start + mapping.fileOffset)
}

/** `libfoo.so+0x1234` for a location without a name; the plain address where there is no mapping. */
export function unnamedLocation(profile: Profile, location: Location): string {
  const module = moduleName(profile, location)
  const offset = `0x${moduleOffset(profile, location).toString(16)}`
  return module === '' ? offset : `${module}+${offset}`
}

/** Name of one line of a location (0: the innermost inlined function); of the location itself for any other index. */
export function frameName(profile: Profile, locationIndex: number, lineIndex: number): string {
  const location = profile.locations[locationIndex]
  if (location === undefined) return '[unknown]'
  const line = location.lines[lineIndex]
  const fn = line === undefined ? undefined : profile.functions[line.function]
  return fn === undefined ? unnamedLocation(profile, location) : functionName(fn)
}

/** File of a function as far as it is known: its source, else the binary it is in, else ''. */
export function sourceOrBinary(profile: Profile, location: Location, entry: ProfileFunction | null): string {
  return entry?.fileName || profile.mappings[location.mapping]?.fileName || ''
}
