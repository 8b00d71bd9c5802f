/**
 * The text for a frame in lists and text formats: one rule, so a frame has one name in every file.
 *
 * A location without lines (nobody found a symbol) is shown as `file+0xoffset`.
 */
import { moduleOffset } from './frame-name.ts'
import type { Location, Profile, ProfileFunction } from './profile.ts'

/** The name of a function for people: demangled if known, never empty. */
export function functionName(entry: ProfileFunction): string {
  return entry.name || entry.systemName || '[unknown]'
}

/** `libfoo.so+0x1234` for a location without a name; the plain address where there is no mapping. */
export function unnamedLocation(profile: Profile, location: Location): string {
  const mapping = profile.mappings[location.mapping]
  const offset = `0x${moduleOffset(profile, location).toString(16)}`
  if (!mapping || mapping.fileName === '') return offset
  return `${mapping.fileName.slice(mapping.fileName.lastIndexOf('/') + 1)}+${offset}`
}

/** File of a function as far as it is known: its source, else the binary it is in, else ''. */
export function sourceOrBinary(profile: Profile, location: Location, entry: ProfileFunction | null): string {
  return entry?.fileName || profile.mappings[location.mapping]?.fileName || ''
}
