/**
 * Files of OTLP profiles -> one Profile: a bare message, messages behind 4-byte big-endian lengths (what the profiling
 * group's benchmarks and the Collector's file exporter write), JSON, or JSON line by line.
 *
 * A page shows one profile, a file may hold hundreds, by resource and time. Those of the first one's sample types
 * become one; labels then say of which resource a sample is. Of others a comment tells.
 */
import { AgentError } from '../errors.ts'
import type { AttributeValue } from '../model/attributes.ts'
import { ProfileMerger } from '../model/merge-profiles.ts'
import type { Label, Profile } from '../model/profile.ts'
import { WIRE_BYTES } from '../protobuf/reader.ts'
import { decodeRequest } from './decode.ts'
import { damaged, tooMany } from './faults.ts'
import { fromJson } from './json-read.ts'
import { LABEL_OF_ATTRIBUTE } from './keys.ts'
import type { ProfilesData } from './model.ts'
import { type DecodedProfile, toProfiles } from './to-profiles.ts'

const LENGTH_BYTES = 4
/** A week of windows of ten seconds. Each message has the limits of a file. */
const MOST_MESSAGES = 65_536
/** First byte of a message: the tag of its resource_profiles or of its dictionary. */
const MESSAGE_TAGS: readonly number[] = [0x0a, 0x12]

/** Errors: AgentError input_invalid for bytes that are no such file, and for a file without profiles. */
export function readOtlpFile(bytes: Uint8Array): Profile {
  return oneProfile(messagesOf(bytes).map(decodeRequest))
}

/** One message, or one a line. Errors as for `readOtlpFile`. */
export function readOtlpJson(text: string): Profile {
  const lines = text.trimEnd().split('\n')
  const isByLine =
    lines.length > 1 && lines.every((line) => line.startsWith('{') && line.trimEnd().endsWith('}'))
  return oneProfile(isByLine ? lines.map(fromJson) : [fromJson(text)])
}

/** The messages of a file, cut at their lengths; the file itself when it has none. */
export function messagesOf(bytes: Uint8Array): Uint8Array[] {
  if (MESSAGE_TAGS.includes(bytes[0]!)) return [bytes]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const messages: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < LENGTH_BYTES) damaged(at, 'the length of a message is cut short')
    const start = at + LENGTH_BYTES
    const end = start + view.getUint32(at)
    if (end > bytes.length) damaged(at, `a message of ${end - start} bytes, ${bytes.length - start} are left`)
    if (messages.push(bytes.subarray(start, end)) > MOST_MESSAGES) tooMany('too many messages', MOST_MESSAGES)
    at = end
  }
  return messages
}

/** Whether a file that begins so is one of OTLP messages: pprof's first field looks alike, one level up. */
export function looksLikeOtlp(head: Uint8Array): boolean {
  const isFramed = !MESSAGE_TAGS.includes(head[0]!)
  // A first byte below 0x08 would be field 0 elsewhere; messages of 128 MiB and more are not sent.
  if (isFramed && (head[0]! >= 0x08 || !MESSAGE_TAGS.includes(head[LENGTH_BYTES]!))) return false
  const at = isFramed ? LENGTH_BYTES : 0
  const inner = head[afterVarint(head, at + 1)]
  // ResourceProfiles begins with a message or a text, a ValueType with numbers.
  if (head[at] === 0x0a) return inner === 0x0a || inner === 0x12 || inner === 0x1a
  // A dictionary begins with the empty entry 0 of one of its seven tables.
  const isTable = inner! % 8 === WIRE_BYTES && inner! >>> 3 >= 1 && inner! >>> 3 <= 7
  return isTable && head[afterVarint(head, at + 1) + 1] === 0
}

function afterVarint(bytes: Uint8Array, at: number): number {
  let next = at
  while (bytes[next]! >= 0x80 && next < at + 10) next++
  return next + 1
}

/** Whether JSON that begins so is of OTLP profiles. */
export function looksLikeOtlpJson(head: string): boolean {
  return /^\s*\{\s*"(resourceProfiles|resource_profiles|dictionary)"/.test(head)
}

function oneProfile(messages: readonly ProfilesData[]): Profile {
  const all = messages.flatMap(toProfiles)
  const [first] = all
  if (first === undefined)
    throw new AgentError('input_invalid', 'the OTLP profile is empty: it holds no profiles')
  const chosen = all.filter(({ profile }) => typesOf(profile) === typesOf(first.profile))
  const profile = chosen.length === 1 ? first.profile : merged(chosen)
  const others = new Map<string, number>()
  for (const other of all) {
    const types = typesOf(other.profile)
    if (types !== typesOf(first.profile)) others.set(types, (others.get(types) ?? 0) + 1)
  }
  const notes = [...others].map(([types, count]) => `not shown: ${count} profiles of ${types} in this file`)
  return notes.length === 0 ? profile : { ...profile, comments: [...profile.comments, ...notes] }
}

function typesOf({ sampleTypes }: Profile): string {
  return sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(', ')
}

function merged(entries: readonly DecodedProfile[]): Profile {
  const merger = new ProfileMerger()
  const resources = new Set(
    entries.map(({ resource }) => JSON.stringify(Object.entries(resource), textOfBig)),
  )
  for (const entry of entries) {
    merger.add(resources.size > 1 ? withResource(entry) : entry.profile)
  }
  return merger.finish()!
}

function textOfBig(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

/** What tells one resource from another for people; host.* and os.* are the same for all. */
const RESOURCE_LABELS = /^(service|container|k8s|process)\./

/** The profile with its resource as labels, where a sample does not say it itself. */
function withResource({ resource, profile }: DecodedProfile): Profile {
  const own = Object.entries(resource)
    .filter(([key]) => RESOURCE_LABELS.test(key))
    .map(([key, value]) => labelOf(LABEL_OF_ATTRIBUTE.get(key) ?? key, value))
  const labelSets = profile.labelSets.map((labels) => [
    ...labels,
    ...own.filter(({ key }) => !labels.some((label) => label.key === key)),
  ])
  return { ...profile, labelSets }
}

function labelOf(key: string, value: AttributeValue): Label {
  if (typeof value === 'number' || typeof value === 'bigint') return { key, num: value }
  return { key, str: String(value) }
}
