/**
 * A whole Profile as compact bytes, for embedding in the page: nothing is lost, a million stacks decode in a tenth of
 * a second in a browser, and gzip finds the repetitions because equal things stand together.
 *
 * Layout: "EMBR", format version (1 byte), length and text of a JSON header (small things and row counts), length and
 * text of all strings end to end, then the columns in the order of `encodePacked`. Compression is the caller's.
 * Decoding validates every length and index: the bytes may come from a hostile file.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { atOnce, type Steps } from '../model/steps.ts'
import { PackedReader, PackedWriter } from './packed-bytes.ts'
import { headerOf, type PackedHeader, parseHeader } from './packed-header.ts'
import { inDrawingOrder } from './packed-order.ts'
import * as tables from './packed-tables.ts'

const MAGIC = [0x45, 0x4d, 0x42, 0x52]
const VERSION = 1

/** The bytes of a profile; `decodePacked` gives an equal profile back, in drawing order (`inDrawingOrder`). */
export function encodePacked(profile: Profile): Uint8Array {
  return encodePackedAsItIs(inDrawingOrder(profile))
}

/** The same in the order in which the profile is: half the time, for what is merged with others before it is drawn. */
export function encodePackedAsItIs(profile: Profile): Uint8Array {
  return atOnce(encodePackedSteps(profile))
}

/** And that in steps: a table each. */
export function* encodePackedSteps(profile: Profile): Steps<Uint8Array> {
  const strings = new tables.StringIds()
  const columns = new PackedWriter()
  tables.writeMappings(columns, profile.mappings, strings)
  yield
  tables.writeFunctions(columns, profile.functions, strings)
  yield
  tables.writeLocations(columns, profile.locations, strings)
  yield
  tables.writeStacks(columns, profile.stacks)
  yield
  tables.writeSamples(columns, profile.samples)
  yield
  tables.writeLabelSets(columns, profile.labelSets, strings)
  yield

  const head = new PackedWriter()
  const { text, lengths } = strings.joined()
  const encoder = new TextEncoder()
  const header = encoder.encode(JSON.stringify(headerOf(profile, lengths.length)))
  const blob = encoder.encode(text)
  head.raw(Uint8Array.of(...MAGIC, VERSION))
  head.uint32(header.length)
  head.raw(header)
  head.uint32(blob.length)
  head.raw(blob)
  head.rows(lengths)
  head.raw(columns.bytes)
  return head.bytes
}

/** True when bytes start as a packed profile does. */
export function isPacked(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

/**
 * The profile of packed bytes.
 *
 * Errors: AgentError `input_invalid`: not a packed profile, of a newer version, or damaged (with the byte).
 */
export function decodePacked(bytes: Uint8Array): Profile {
  if (!isPacked(bytes))
    throw new AgentError('input_invalid', 'not a packed profile: it does not start with "EMBR"')
  if (bytes[4] !== VERSION) {
    const remedy = 'open it with the version that wrote it, or a newer one'
    throw new AgentError('input_invalid', `cannot read packed profiles of version ${bytes[4]}; ${remedy}`)
  }
  const reader = new PackedReader(bytes, 5)
  const header = parseHeader(reader, decodeText(reader))
  const strings = readStrings(reader, header)
  const mappings = tables.readMappings(reader, header.rows.mappings, strings)
  const functions = tables.readFunctions(reader, header.rows.functions, strings)
  const limits = { mappings: mappings.length, functions: functions.length }
  const locations = tables.readLocations(reader, header.rows.locations, { ...limits, strings })
  const stacks = tables.readStacks(reader, header.rows.stacks, locations.length)
  const samples = tables.readSamples(reader, header, stacks.parent.length)
  const labelSets = tables.readLabelSets(reader, header.rows.labelSets, strings)
  if (reader.left > 0) reader.damaged(`${reader.left} bytes follow the last column`)
  const { rows: _rows, hasTimes: _hasTimes, wideValues: _wide, ...small } = header
  const period = BigInt(header.period)
  const times = { timeNs: BigInt(header.timeNs), durationNs: BigInt(header.durationNs) }
  return { ...small, ...times, period, mappings, functions, locations, stacks, samples, labelSets }
}

function decodeText(reader: PackedReader): string {
  const bytes = reader.raw(reader.uint32())
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    return reader.damaged(`a text is not UTF-8 (${(cause as Error).message})`)
  }
}

function readStrings(reader: PackedReader, header: PackedHeader): string[] {
  const text = decodeText(reader)
  const lengths = tables.rowColumn(reader, header.rows.strings, 0, text.length)
  const strings: string[] = []
  let at = 0
  for (const length of lengths) {
    strings.push(text.slice(at, at + length))
    at += length
  }
  if (at !== text.length)
    reader.damaged(`strings of ${at} characters are announced, there are ${text.length}`)
  return strings
}
