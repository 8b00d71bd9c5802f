/**
 * The tables of a profile by content: what is equal has one id, whatever the profile's own indices say.
 *
 * A dictionary may hold no duplicates (P-04), and profiles of other producers have some. Entry 0 of each table is its
 * zero value (P-02). Ids hold for the whole profile; each request numbers those it uses anew (dictionary-writer.ts).
 */
import { PairTable } from '../model/pair-table.ts'
import type { Location, Mapping, Profile } from '../model/profile.ts'
import type { Steps } from '../model/steps.ts'
import { AttributeTable, putInt64 } from './attribute-table.ts'
import { frameTypeOf } from './frame-type.ts'
import { BUILD_ID_GNU, BUILD_ID_GO, FRAME_TYPE, PPROF, UNNAMED_REASON } from './keys.ts'
import { TupleTable } from './tuple-table.ts'

/** Fields of tuples; 64-bit numbers take two places. */
export const MAPPING = { start: 0, limit: 2, fileOffset: 4, fileName: 6, attributes: 7, size: 8 } as const
export const FUNCTION = { name: 0, systemName: 1, fileName: 2, startLine: 3, size: 5 } as const
/** Lines follow, each of LINE. */
export const LOCATION = { mapping: 0, address: 1, attributes: 3, lines: 4 } as const
export const LINE = { function: 0, line: 1, column: 3, size: 5 } as const
export const LINK = { trace: 0, span: 4, size: 6 } as const

/**
 * Whose fields must survive: `conventions` for our own captures, whose labels get the names of the semantic
 * conventions; `pprof` for other producers, whose every field and label comes back as it was (P-61).
 */
export type Fidelity = 'conventions' | 'pprof'

/** A fraction of a millisecond, in code that is not hot. */
const ENTRIES_A_STEP = 128
const NODES_A_STEP = 4096

const HEX = /^(?:[0-9a-fA-F]{2})+$/

export class ContentTables {
  readonly profile: Profile
  readonly fidelity: Fidelity
  readonly attributes = new AttributeTable()
  readonly functions = new TupleTable(new Array(FUNCTION.size).fill(0))
  readonly mappings = new TupleTable(new Array(MAPPING.size).fill(0))
  readonly locations = new TupleTable(new Array(LOCATION.lines).fill(0))
  readonly links = new TupleTable(new Array(LINK.size).fill(0))
  /** (id of the stack that called, location): ids are one less than those in `stackOf`. */
  readonly stacks = new PairTable()
  /** By node of the profile's tree: id of the stack that ends there; 0 is the empty stack. */
  readonly stackOf: Int32Array
  #tuple = new Int32Array(64)

  /** Empty until `fill` has ended. */
  constructor(profile: Profile, fidelity: Fidelity) {
    this.profile = profile
    this.fidelity = fidelity
    this.stackOf = new Int32Array(profile.stacks.parent.length)
  }

  *fill(): Steps<void> {
    const { functions, mappings, locations } = this.profile
    const functionOf = new Int32Array(functions.length)
    for (let i = 0; i < functions.length; i++) {
      functionOf[i] = this.#function(functions[i]!)
      if (i % ENTRIES_A_STEP === 0) yield
    }
    const mappingOf = Int32Array.from(mappings, (entry) => this.#mapping(entry))
    const locationOf = new Int32Array(locations.length)
    for (let i = 0; i < locations.length; i++) {
      const location = locations[i]!
      const mapping = location.mapping < 0 ? 0 : mappingOf[location.mapping]!
      locationOf[i] = this.#location(location, mapping, functionOf)
      if (i % ENTRIES_A_STEP === 0) yield
    }
    yield* this.#fillStacks(locationOf)
  }

  #function({ name, systemName, fileName, startLine }: Profile['functions'][number]): number {
    const { texts } = this.attributes
    const tuple = this.#tuple
    tuple[FUNCTION.name] = texts.id(name)
    tuple[FUNCTION.systemName] = texts.id(systemName)
    tuple[FUNCTION.fileName] = texts.id(fileName)
    putInt64(tuple, FUNCTION.startLine, startLine)
    return this.functions.intern(tuple, FUNCTION.size)
  }

  #mapping(mapping: Mapping): number {
    const tuple = this.#tuple
    putInt64(tuple, MAPPING.start, mapping.start)
    putInt64(tuple, MAPPING.limit, mapping.limit)
    putInt64(tuple, MAPPING.fileOffset, mapping.fileOffset)
    tuple[MAPPING.fileName] = this.attributes.texts.id(mapping.fileName)
    tuple[MAPPING.attributes] = this.attributes.set(this.#mappingAttributes(mapping))
    return this.mappings.intern(tuple, MAPPING.size)
  }

  #mappingAttributes(mapping: Mapping): number[] {
    const { buildId } = mapping
    const isKept = this.fidelity === 'pprof'
    const ids: number[] = []
    // Go's own build ids have slashes; what is neither is no id that others could look up.
    if (buildId.includes('/')) ids.push(this.attributes.attribute(BUILD_ID_GO, buildId))
    else if (HEX.test(buildId) || (isKept && buildId !== '')) {
      ids.push(this.attributes.attribute(BUILD_ID_GNU, buildId))
    }
    if (!isKept) return ids
    for (const flag of ['hasFunctions', 'hasFilenames', 'hasLineNumbers', 'hasInlineFrames'] as const) {
      ids.push(this.attributes.attribute(PPROF[flag], mapping[flag]))
    }
    return ids
  }

  #location(location: Location, mapping: number, functionOf: Int32Array): number {
    const { address, lines } = location
    const size = LOCATION.lines + lines.length * LINE.size
    if (this.#tuple.length < size) this.#tuple = new Int32Array(2 * size)
    const attributes = this.#locationAttributes(location)
    const tuple = this.#tuple
    tuple[LOCATION.mapping] = mapping
    putInt64(tuple, LOCATION.address, address)
    tuple[LOCATION.attributes] = attributes
    for (let i = 0, at: number = LOCATION.lines; i < lines.length; i++, at += LINE.size) {
      const line = lines[i]!
      tuple[at + LINE.function] = functionOf[line.function]!
      putInt64(tuple, at + LINE.line, line.line)
      putInt64(tuple, at + LINE.column, line.column)
    }
    return this.locations.intern(tuple, size)
  }

  /** Few distinct sets for many locations: found by their three sources. */
  readonly #locationSets = new Map<string, number>()

  #locationAttributes(location: Location): number {
    const type = frameTypeOf(this.profile, location)
    const { unnamedReason, isFolded } = location
    const source = `${type} ${isFolded} ${unnamedReason}`
    const known = this.#locationSets.get(source)
    if (known !== undefined) return known
    const ids = [this.attributes.attribute(FRAME_TYPE, type)]
    if (unnamedReason !== '') ids.push(this.attributes.attribute(UNNAMED_REASON, unnamedReason))
    if (isFolded) ids.push(this.attributes.attribute(PPROF.isFolded, true))
    const set = this.attributes.set(ids)
    this.#locationSets.set(source, set)
    return set
  }

  *#fillStacks(locationOf: Int32Array): Steps<void> {
    const { parent, location } = this.profile.stacks
    const { stackOf } = this
    for (let node = 0; node < parent.length; node++) {
      const above = parent[node]!
      stackOf[node] = 1 + this.stacks.intern(above < 0 ? 0 : stackOf[above]!, locationOf[location[node]!]!)
      if (node % NODES_A_STEP === 0) yield
    }
  }
}
