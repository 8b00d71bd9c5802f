/**
 * Profile <-> our own JSON, `emberscope.profile/1`: the whole model, lossless, for other programs to read.
 *
 * Schema: profile.schema.json beside this file. Keys are snake_case; 64-bit numbers that a double may not hold are
 * decimal strings; tables and columns are as in model/profile.ts. Written in pieces, read in one.
 */
import { AgentError } from '../errors.ts'
import {
  FRAME_KINDS,
  type Label,
  type Location,
  type Mapping,
  type Profile,
  type ProfileFunction,
  type SampleTable,
  type SourceText,
  type ValueType,
} from '../model/profile.ts'
import { checkProfile } from '../model/profile-check.ts'
import { captureJson, readCapture } from './capture-json.ts'
import { isJsonObject, JsonCursor } from './json-cursor.ts'

/** Value of the file's `schema` key. */
export const PROFILE_SCHEMA = 'emberscope.profile/1'

/** Array elements written at a time. */
const ELEMENTS_PER_PIECE = 4096

/** The JSON text in pieces; joined they are one document, with `schema` as its first key. */
export function* writeProfileJson(profile: Profile): Iterable<string> {
  const { declaredDefaultType, samples } = profile
  yield `{"schema":${JSON.stringify(PROFILE_SCHEMA)},\n"sample_types":${JSON.stringify(profile.sampleTypes.map(valueType))},`
  yield `\n"default_sample_type":${profile.defaultSampleType},`
  if (declaredDefaultType !== undefined) {
    yield `"declared_default_type":${JSON.stringify(declaredDefaultType)},`
  }
  yield `\n"period_type":${JSON.stringify(profile.periodType && valueType(profile.periodType))},`
  yield `"period":"${profile.period}","time_ns":"${profile.timeNs}","duration_ns":"${profile.durationNs}"`
  yield* table('mappings', profile.mappings.map(mappingJson))
  yield* table('functions', profile.functions.map(functionJson))
  yield* table('locations', profile.locations.map(locationJson))
  yield* table(
    'label_sets',
    profile.labelSets.map((labels) => labels.map(labelJson)),
  )
  yield ',\n"stacks":{"parent":'
  yield* column(profile.stacks.parent)
  yield ',\n"location":'
  yield* column(profile.stacks.location)
  yield '},\n"samples":'
  yield* sampleColumns(samples)
  const { comments, dropFrames, keepFrames, docUrl, capture, sources } = profile
  if (sources !== undefined) yield* table('sources', sources.map(sourceJson))
  const rest = { comments, drop_frames: dropFrames, keep_frames: keepFrames, doc_url: docUrl }
  yield `,\n${JSON.stringify({ ...rest, capture: capture && captureJson(capture) }).slice(1)}\n`
}

function* table(name: string, rows: readonly unknown[]): Iterable<string> {
  yield `,\n${JSON.stringify(name)}:[`
  for (let start = 0; start < rows.length; start += ELEMENTS_PER_PIECE) {
    const piece = rows.slice(start, start + ELEMENTS_PER_PIECE).map((row) => JSON.stringify(row))
    yield `${start > 0 ? ',\n' : ''}${piece.join(',\n')}`
  }
  yield ']'
}

function* column(values: Int32Array | Float64Array): Iterable<string> {
  yield '['
  for (let start = 0; start < values.length; start += ELEMENTS_PER_PIECE) {
    yield `${start > 0 ? ',' : ''}${values.subarray(start, start + ELEMENTS_PER_PIECE).join(',')}`
  }
  yield ']'
}

function* sampleColumns({ stack, labelSet, timeNs, values, wideValues }: SampleTable): Iterable<string> {
  yield '{"stack":'
  yield* column(stack)
  yield ',\n"label_set":'
  yield* column(labelSet)
  yield ',\n"time_ns":'
  if (timeNs) yield* column(timeNs)
  else yield 'null'
  yield ',\n"values":['
  for (const [index, entry] of values.entries()) {
    if (index > 0) yield ',\n'
    yield* column(entry)
  }
  yield ']'
  if (wideValues) {
    yield ',\n"wide_values":{'
    let separator = ''
    for (const [key, value] of wideValues) {
      yield `${separator}"${key}":"${value}"`
      separator = ','
    }
    yield '}'
  }
  yield '}'
}

function valueType({ type, unit }: ValueType): ValueType {
  return { type, unit }
}

function mappingJson(entry: Mapping) {
  return {
    start: entry.start.toString(),
    limit: entry.limit.toString(),
    file_offset: entry.fileOffset.toString(),
    file_name: entry.fileName,
    build_id: entry.buildId,
    has_functions: entry.hasFunctions,
    has_filenames: entry.hasFilenames,
    has_line_numbers: entry.hasLineNumbers,
    has_inline_frames: entry.hasInlineFrames,
  }
}

function functionJson(entry: ProfileFunction) {
  const { name, systemName, fileName, startLine } = entry
  return { name, system_name: systemName, file_name: fileName, start_line: startLine }
}

function locationJson(entry: Location) {
  return {
    mapping: entry.mapping,
    address: entry.address.toString(),
    lines: entry.lines.map(({ function: index, line, column: at }) => ({
      function: index,
      line,
      column: at,
    })),
    is_folded: entry.isFolded,
    kind: entry.kind,
    unnamed_reason: entry.unnamedReason,
  }
}

function sourceJson({ fileName, firstLine, lines }: SourceText) {
  return { file_name: fileName, first_line: firstLine, lines }
}

function labelJson({ key, str, num, unit }: Label) {
  return { key, str, num: typeof num === 'bigint' ? num.toString() : num, unit }
}

/**
 * Reads what `writeProfileJson` wrote, parsed.
 *
 * Errors: AgentError input_invalid: `not a profile of ours: …` for other JSON, `the JSON profile is damaged: …`
 * (with the path of the value) for ours that is broken.
 */
export function readProfileJson(value: unknown): Profile {
  const json = new JsonCursor(value)
  const schema = isJsonObject(value) ? json.get('schema').value : undefined
  if (schema !== PROFILE_SCHEMA) {
    const found =
      typeof schema === 'string' ? `its "schema" is '${schema.slice(0, 60)}'` : 'it has no "schema"'
    throw new AgentError('input_invalid', `not a profile of ours: ${found}, we read '${PROFILE_SCHEMA}'`)
  }
  const profile = readProfile(json)
  const fault = checkProfile(profile)
  if (fault) throw new AgentError('input_invalid', `the JSON profile is damaged: ${fault}`)
  return profile
}

function readProfile(json: JsonCursor): Profile {
  const declared = json.get('declared_default_type')
  const sources = json.get('sources')
  return {
    sampleTypes: json.get('sample_types').array(readValueType),
    defaultSampleType: json.get('default_sample_type').integer(),
    ...(declared.isAbsent ? {} : { declaredDefaultType: declared.text() }),
    periodType: json.get('period_type').nullable(readValueType),
    period: json.get('period').bigint(),
    timeNs: json.get('time_ns').bigint(),
    durationNs: json.get('duration_ns').bigint(),
    mappings: json.get('mappings').array(readMapping),
    functions: json.get('functions').array((entry) => ({
      name: entry.get('name').text(),
      systemName: entry.get('system_name').text(),
      fileName: entry.get('file_name').text(),
      startLine: entry.get('start_line').integer(),
    })),
    locations: json.get('locations').array(readLocation),
    stacks: {
      parent: json.get('stacks').get('parent').int32s(),
      location: json.get('stacks').get('location').int32s(),
    },
    samples: readSampleColumns(json.get('samples')),
    labelSets: json.get('label_sets').array((labels) => labels.array(readLabel)),
    comments: json.get('comments').array((comment) => comment.text()),
    dropFrames: json.get('drop_frames').text(),
    keepFrames: json.get('keep_frames').text(),
    docUrl: json.get('doc_url').text(),
    capture: json.get('capture').nullable(readCapture),
    ...(sources.isAbsent ? {} : { sources: sources.array(readSource) }),
  }
}

function readValueType(json: JsonCursor): ValueType {
  return { type: json.get('type').text(), unit: json.get('unit').text() }
}

function readMapping(json: JsonCursor): Mapping {
  return {
    start: json.get('start').bigint(),
    limit: json.get('limit').bigint(),
    fileOffset: json.get('file_offset').bigint(),
    fileName: json.get('file_name').text(),
    buildId: json.get('build_id').text(),
    hasFunctions: json.get('has_functions').boolean(),
    hasFilenames: json.get('has_filenames').boolean(),
    hasLineNumbers: json.get('has_line_numbers').boolean(),
    hasInlineFrames: json.get('has_inline_frames').boolean(),
  }
}

function readLocation(json: JsonCursor): Location {
  return {
    mapping: json.get('mapping').integer(),
    address: json.get('address').bigint(),
    lines: json.get('lines').array((line) => ({
      function: line.get('function').integer(),
      line: line.get('line').integer(),
      column: line.get('column').integer(),
    })),
    isFolded: json.get('is_folded').boolean(),
    kind: json.get('kind').choice(FRAME_KINDS),
    unnamedReason: json.get('unnamed_reason').text(),
  }
}

function readSampleColumns(json: JsonCursor): SampleTable {
  const wide = json.get('wide_values')
  const wideValues = wide.isAbsent ? {} : wide.record((value) => value.bigint())
  return {
    stack: json.get('stack').int32s(),
    labelSet: json.get('label_set').int32s(),
    timeNs: json.get('time_ns').nullable((times) => times.float64s()),
    values: json.get('values').array((values) => values.float64s()),
    ...(wide.isAbsent
      ? {}
      : { wideValues: new Map(Object.entries(wideValues).map(([key, value]) => [Number(key), value])) }),
  }
}

function readSource(json: JsonCursor): SourceText {
  return {
    fileName: json.get('file_name').text(),
    firstLine: json.get('first_line').integer(),
    lines: json.get('lines').array((line) => line.text()),
  }
}

function readLabel(json: JsonCursor): Label {
  const [str, num, unit] = [json.get('str'), json.get('num'), json.get('unit')] as const
  return {
    key: json.get('key').text(),
    ...(str.isAbsent ? {} : { str: str.text() }),
    ...(num.isAbsent ? {} : { num: typeof num.value === 'string' ? num.bigint() : num.number() }),
    ...(unit.isAbsent ? {} : { unit: unit.text() }),
  }
}
