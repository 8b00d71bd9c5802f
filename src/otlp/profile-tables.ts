/**
 * The dictionary of a message as tables of the model, shared by all profiles of the message.
 *
 * Entry 0 of a table means "not set": it has no row of its own. Where something refers to it all the same, an empty
 * function or location is made. Stacks become the model's prefix tree.
 */
import { kindOfMappingName } from '../model/frame-kind.ts'
import { LIMITS } from '../model/limits.ts'
import { PairTable } from '../model/pair-table.ts'
import type { Line, Location, Mapping, ProfileFunction, StackTable } from '../model/profile.ts'
import { inconsistent, tooMany } from './faults.ts'
import { kindOfFrameType } from './frame-type.ts'
import { BUILD_ID_KEYS, FRAME_TYPE, PPROF, UNNAMED_REASON } from './keys.ts'
import { type AnyValue, type Dictionary, listAt, listCount, type OtlpLocation } from './model.ts'
import { textAt } from './resolve.ts'

export interface ProfileTables {
  readonly mappings: readonly Mapping[]
  readonly functions: readonly ProfileFunction[]
  readonly locations: readonly Location[]
  readonly stacks: StackTable
  /** By index of the stack table: its leaf's node, -1 for an empty stack. */
  readonly nodeOf: Int32Array
}

const EMPTY_FUNCTION: ProfileFunction = { name: '', systemName: '', fileName: '', startLine: 0 }
const EMPTY_LOCATION: Location = {
  mapping: -1,
  address: 0n,
  lines: [],
  isFolded: false,
  kind: 'native',
  unnamedReason: '',
}

/** References must have been checked. Errors: AgentError input_invalid for lines beyond 2^53 and too many stacks. */
export function profileTables(dictionary: Dictionary): ProfileTables {
  const functions = dictionary.functionTable.slice(1).map((entry, i) => ({
    name: textAt(dictionary, entry.nameStrindex),
    systemName: textAt(dictionary, entry.systemNameStrindex),
    fileName: textAt(dictionary, entry.filenameStrindex),
    startLine: exact(entry.startLine, () => `dictionary.function_table[${i + 1}].start_line`),
  }))
  const mappings = readMappings(dictionary)
  const locations = dictionary.locationTable.slice(1).map((entry, i) => {
    return readLocation(entry, i + 1, mappings, functions, dictionary)
  })
  return { mappings, functions, ...readStacks(dictionary, locations), locations }
}

function exact(value: number | bigint, path: () => string): number {
  return typeof value === 'number' ? value : inconsistent(`${path()} is ${value}`)
}

/** Attributes of an entry by key. */
function attributesOf(indices: readonly number[], dictionary: Dictionary): Map<string, AnyValue> {
  return new Map(
    indices.map((index) => {
      const { keyStrindex, value } = dictionary.attributeTable[index]!
      return [textAt(dictionary, keyStrindex), value]
    }),
  )
}

function textOf(value: AnyValue | undefined, dictionary: Dictionary): string {
  if (value?.kind === 'strindex') return textAt(dictionary, value.value)
  return value?.kind === 'string' ? value.value : ''
}

function isTrue(value: AnyValue | undefined): boolean {
  return value?.kind === 'bool' && value.value
}

function readMappings(dictionary: Dictionary): Mapping[] {
  const seen = linesSeen(dictionary)
  return dictionary.mappingTable.slice(1).map((entry, i) => {
    const attributes = attributesOf(entry.attributeIndices, dictionary)
    const isTold = attributes.has(PPROF.hasFunctions) || attributes.has(PPROF.hasFilenames)
    const found = seen[i + 1]!
    const flag = (key: string, bit: number) => (isTold ? isTrue(attributes.get(key)) : (found & bit) !== 0)
    return {
      start: entry.memoryStart,
      limit: entry.memoryLimit,
      fileOffset: entry.fileOffset,
      fileName: textAt(dictionary, entry.filenameStrindex),
      buildId:
        BUILD_ID_KEYS.map((key) => textOf(attributes.get(key), dictionary)).find((id) => id !== '') ?? '',
      hasFunctions: flag(PPROF.hasFunctions, SEEN.function),
      hasFilenames: flag(PPROF.hasFilenames, SEEN.file),
      hasLineNumbers: flag(PPROF.hasLineNumbers, SEEN.line),
      hasInlineFrames: flag(PPROF.hasInlineFrames, SEEN.inline),
    }
  })
}

const SEEN = { function: 1, file: 2, line: 4, inline: 8 } as const

/** What the locations of each mapping have: what pprof's flags say where nobody told. */
function linesSeen({ mappingTable, locationTable, functionTable }: Dictionary): Uint8Array {
  const seen = new Uint8Array(mappingTable.length)
  for (const { mappingIndex, lines } of locationTable) {
    if (lines.length > 1) seen[mappingIndex]! |= SEEN.inline
    for (const { functionIndex, line } of lines) {
      seen[mappingIndex]! |= SEEN.function
      if (functionTable[functionIndex]!.filenameStrindex !== 0) seen[mappingIndex]! |= SEEN.file
      if (line > 0) seen[mappingIndex]! |= SEEN.line
    }
  }
  return seen
}

function readLocation(
  entry: OtlpLocation,
  index: number,
  mappings: readonly Mapping[],
  functions: ProfileFunction[],
  dictionary: Dictionary,
): Location {
  const attributes = attributesOf(entry.attributeIndices, dictionary)
  const type = textOf(attributes.get(FRAME_TYPE), dictionary)
  const mapping = entry.mappingIndex - 1
  const lines = entry.lines.map((line, i): Line => {
    const path = `dictionary.location_table[${index}].lines[${i}]`
    return {
      function: line.functionIndex === 0 ? emptyFunction(functions) : line.functionIndex - 1,
      line: exact(line.line, () => `${path}.line`),
      column: exact(line.column, () => `${path}.column`),
    }
  })
  return {
    mapping,
    address: entry.address,
    lines,
    isFolded: isTrue(attributes.get(PPROF.isFolded)),
    kind: type === '' ? kindOfMappingName(mappings[mapping]?.fileName ?? '') : kindOfFrameType(type),
    unnamedReason: lines.length > 0 ? '' : textOf(attributes.get(UNNAMED_REASON), dictionary),
  }
}

/** Index of the one function that stands for "unknown", at the end of the table. */
function emptyFunction(functions: ProfileFunction[]): number {
  const last = functions.length - 1
  return functions[last] === EMPTY_FUNCTION ? last : functions.push(EMPTY_FUNCTION) - 1
}

/** Adds an empty location to `locations` if a stack goes through location 0. */
function readStacks(
  { stackTable, locationTable }: Dictionary,
  locations: Location[],
): Pick<ProfileTables, 'stacks' | 'nodeOf'> {
  const tree = new PairTable()
  const nodeOf = new Int32Array(listCount(stackTable)).fill(-1)
  for (const [i] of nodeOf.entries()) {
    const frames = listAt(stackTable, i)
    let node = -1
    for (let depth = frames.length - 1; depth >= 0; depth--) {
      const location = frames[depth]!
      node = tree.intern(node, location === 0 ? locationTable.length - 1 : location - 1)
    }
    nodeOf[i] = node
    if (tree.size > LIMITS.stackNodes) {
      tooMany('more distinct stacks than fit in memory', LIMITS.stackNodes)
    }
  }
  if (stackTable.values.includes(0)) locations.push(EMPTY_LOCATION)
  const { first, second } = tree.columns()
  return { stacks: { parent: first, location: second }, nodeOf }
}
