/**
 * The tables of several profiles as one set of tables, each entry once by its content. Texts, addresses and pairs become
 * numbers, and numbers are interned by PairTable: a window of some thousand locations costs a few milliseconds.
 */
import { PairTable } from './pair-table.ts'
import {
  FRAME_KINDS,
  type Label,
  type Location,
  type Mapping,
  type Profile,
  type ProfileFunction,
  type StackTable,
} from './profile.ts'
import type { Origins, SampledProcess } from './sampled-process.ts'

/** Merged ids of the entries of one profile, by its own. */
export interface TableIds {
  readonly stacks: Int32Array
  readonly labelSets: Int32Array
}

/** What a profile holds besides its rows; `origins` is null when no profile had any. */
export interface MergedTables {
  readonly mappings: readonly Mapping[]
  readonly functions: readonly ProfileFunction[]
  readonly locations: readonly Location[]
  readonly stacks: StackTable
  readonly labelSets: readonly (readonly Label[])[]
  readonly origins: Origins | null
}

/** A process nobody told us of: windows with origins may be merged with some without. */
const UNKNOWN: SampledProcess = { pid: 0, parentPid: 0, comm: '', cgroupId: 0n, startNs: 0 }

/** Grows by a profile at a time. */
export class ContentTables {
  readonly #ids = new Map<string, number>()
  readonly #addresses = new Map<bigint, number>()
  readonly #mappings = new Entries<Mapping>()
  readonly #functions = new Entries<ProfileFunction>()
  readonly #locations: Location[] = []
  /** Keys made of two numbers; a table for each meaning, as the numbers of one are not those of another. */
  readonly #names = new PairTable()
  readonly #functionKeys = new PairTable()
  readonly #places = new PairTable()
  readonly #lines = new PairTable()
  /** Runs of lines: (run before, line); a run begins with (-1 - flags, reason). */
  readonly #runs = new PairTable()
  readonly #wheres = new PairTable()
  readonly #locationIds = new PairTable()
  readonly #stacks = new PairTable()
  readonly #labels = new Entries<readonly Label[]>()
  readonly #labelSets = new PairTable()
  readonly #processes = new Entries<SampledProcess>()
  #hasOrigins = false

  /** Takes a profile's tables in. */
  add(profile: Profile): TableIds {
    const mappings = profile.mappings.map((mapping) => this.#mapping(mapping))
    const functions = profile.functions.map((entry) => this.#function(entry))
    const locations = Int32Array.from(profile.locations, (l) => this.#location(l, mappings, functions))
    return { stacks: this.#addStacks(profile.stacks, locations), labelSets: this.#addLabelSets(profile) }
  }

  finish(): MergedTables {
    const { first, second } = this.#stacks.columns()
    const sets = this.#labelSets.columns()
    return {
      mappings: this.#mappings.list,
      functions: this.#functions.list,
      locations: this.#locations,
      stacks: { parent: first, location: second },
      labelSets: Array.from(sets.first, (id) => this.#labels.list[id]!),
      origins: this.#hasOrigins ? { processes: this.#processes.list, ofLabelSet: sets.second } : null,
    }
  }

  #text(text: string): number {
    const known = this.#ids.get(text)
    if (known !== undefined) return known
    this.#ids.set(text, this.#ids.size)
    return this.#ids.size - 1
  }

  #mapping(mapping: Mapping): number {
    const { start, limit, fileOffset, fileName, buildId } = mapping
    const id = this.#mappings.intern(`${start} ${limit} ${fileOffset} ${buildId}\0${fileName}`, mapping)
    const known = this.#mappings.list[id]!
    // What one window could name, the next may have had no need to.
    this.#mappings.list[id] = {
      ...known,
      hasFunctions: known.hasFunctions || mapping.hasFunctions,
      hasFilenames: known.hasFilenames || mapping.hasFilenames,
      hasLineNumbers: known.hasLineNumbers || mapping.hasLineNumbers,
      hasInlineFrames: known.hasInlineFrames || mapping.hasInlineFrames,
    }
    return id
  }

  /** A line that one window knows and another does not makes no second function; two different lines do. */
  #function(entry: ProfileFunction): number {
    const names = this.#names.intern(this.#text(entry.name), this.#text(entry.systemName))
    const key = this.#functionKeys.intern(names, this.#text(entry.fileName))
    const id = this.#functions.intern(key, entry)
    const known = this.#functions.list[id]!
    if (known.startLine === entry.startLine || !(entry.startLine > 0)) return id
    if (known.startLine > 0) return this.#functions.intern(`${key} ${entry.startLine}`, entry)
    this.#functions.list[id] = entry
    return id
  }

  #location(location: Location, mappings: readonly number[], functions: readonly number[]): number {
    const mapping = location.mapping < 0 ? -1 : mappings[location.mapping]!
    const lines = location.lines.map((line) => ({ ...line, function: functions[line.function]! }))
    const flags = FRAME_KINDS.indexOf(location.kind) * 2 + (location.isFolded ? 1 : 0)
    let run = this.#runs.intern(-1 - flags, this.#text(location.unnamedReason))
    for (const line of lines) {
      const place = this.#places.intern(line.line || 0, line.column || 0)
      run = this.#runs.intern(run, this.#lines.intern(line.function, place))
    }
    const where = this.#wheres.intern(mapping, this.#address(location.address))
    const id = this.#locationIds.intern(run, where)
    if (id === this.#locations.length) this.#locations.push({ ...location, mapping, lines })
    return id
  }

  #address(address: bigint): number {
    const known = this.#addresses.get(address)
    if (known !== undefined) return known
    this.#addresses.set(address, this.#addresses.size)
    return this.#addresses.size - 1
  }

  /** Callers come before their callees here, so they do there. */
  #addStacks({ parent, location }: StackTable, locations: Int32Array): Int32Array {
    const ids = new Int32Array(parent.length)
    for (let node = 0; node < ids.length; node++) {
      const above = parent[node]! < 0 ? -1 : ids[parent[node]!]!
      ids[node] = this.#stacks.intern(above, locations[location[node]!]!)
    }
    return ids
  }

  /** A pid that was reused has the same labels and is another process: the set is of both. */
  #addLabelSets({ labelSets, origins }: Profile): Int32Array {
    if (origins !== undefined) this.#hasOrigins = true
    const processes = origins?.processes.map((process) => this.#process(process))
    return Int32Array.from(labelSets, (labels, i) => {
      const process = processes?.[origins!.ofLabelSet[i]!] ?? this.#process(UNKNOWN)
      return this.#labelSets.intern(this.#labels.intern(labelsKey(labels), labels), process)
    })
  }

  #process(process: SampledProcess): number {
    const { pid, parentPid, startNs, cgroupId, comm } = process
    return this.#processes.intern(`${pid} ${parentPid} ${startNs} ${cgroupId} ${comm}`, process)
  }
}

/** Entries in the order they were first seen. */
class Entries<T> {
  readonly list: T[] = []
  readonly #ids = new Map<string | number, number>()

  intern(key: string | number, entry: T): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    this.#ids.set(key, this.list.length)
    return this.list.push(entry) - 1
  }
}

/** A number and the big integer of the same value are two labels; so are an absent text and an empty one. */
function labelsKey(labels: readonly Label[]): string {
  let key = ''
  for (const { key: name, str, num, unit } of labels) {
    const number = num === undefined ? '' : `${typeof num === 'bigint' ? 'n' : '='}${numberText(num)}`
    key += `${name.length}:${name}${str === undefined ? '-' : `+${str.length}:${str}`}${number}${unit === undefined ? '' : `u${unit}`}\0`
  }
  return key
}

function numberText(num: number | bigint): string {
  return Object.is(num, -0) ? '-0' : String(num)
}
