/**
 * A profile while a reader of somebody's text makes it: names, frames, stacks and label sets, each once, under the
 * limits of limits.ts. The values of the samples stay with the reader, who knows what they mean.
 */
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'
import { PairTable } from '../model/pair-table.ts'
import type {
  FrameKind,
  Label,
  Line,
  Location,
  Mapping,
  Profile,
  ProfileFunction,
  SampleTable,
} from '../model/profile.ts'

/** What a format knows of a code position; `lines` as in a Location, innermost first. */
export interface DraftLocation {
  readonly lines: readonly Line[]
  /** Index that `mapping` gave, or -1. */
  readonly mapping: number
  readonly kind: FrameKind
}

/** What is left to say when all samples are in. */
export interface DraftRest extends Pick<Profile, 'sampleTypes' | 'defaultSampleType'> {
  /** One column a sample type, one entry a sample. */
  readonly values: readonly Float64Array[]
  readonly hasTimes: boolean
  readonly durationNs?: bigint
  readonly comments?: readonly string[]
}

/** `format` stands in the errors, which are AgentError input_invalid `cannot read the FORMAT: …, which is our limit`. */
export class ProfileDraft {
  readonly #format: string
  readonly #mappings: Mapping[] = []
  readonly #functions: ProfileFunction[] = []
  readonly #locations: Location[] = []
  readonly #labelSets: (readonly Label[])[] = []
  /** By content, a letter for each table. */
  readonly #ids = new Map<string, number>()
  readonly #stacks = new PairTable()
  readonly #stack: number[] = []
  readonly #labelSet: number[] = []
  readonly #timeNs: number[] = []

  constructor(format: string) {
    this.#format = format
  }

  /** Samples so far. */
  get sampleCount(): number {
    return this.#stack.length
  }

  /** An executable by its name alone: others' text has no addresses that lead into it. */
  mapping(fileName: string): number {
    const place = { start: 0n, limit: 0n, fileOffset: 0n, buildId: '' }
    const flags = { hasFunctions: true, hasFilenames: false, hasLineNumbers: false, hasInlineFrames: false }
    return this.#intern(`m${fileName}`, this.#mappings, () => ({ ...place, ...flags, fileName }))
  }

  /** `tell` distinguishes functions of one name and file; `startLine` is 1-based, 0 when unknown. */
  function(name: string, fileName: string, startLine = 0, tell = ''): number {
    const key = `f${startLine},${tell}\0${fileName}\0${name}`
    return this.#intern(key, this.#functions, () => ({ name, systemName: '', fileName, startLine }))
  }

  location({ lines, mapping, kind }: DraftLocation): number {
    if (lines.length > LIMITS.inlinedLines) {
      this.#tooMuch(`it has ${lines.length} frames inlined into one; more than ${LIMITS.inlinedLines}`)
    }
    const text = lines.map((at) => `${at.function}:${at.line}:${at.column}`).join()
    const rest = { address: 0n, isFolded: false, unnamedReason: '' }
    return this.#intern(`l${mapping} ${kind} ${text}`, this.#locations, () => ({
      mapping,
      lines: [...lines],
      kind,
      ...rest,
    }))
  }

  /** The stack that has one more frame on top of `parent` (-1: none). */
  call(parent: number, location: number): number {
    const node = this.#stacks.intern(parent, location)
    if (node >= LIMITS.stackNodes) {
      this.#tooMuch(`it has more than ${LIMITS.stackNodes} nodes of stacks`)
    }
    return node
  }

  labelSet(labels: readonly Label[]): number {
    const key = labels.map(({ key, str, num }) => `${key}=${str ?? num}`).join('\0')
    return this.#intern(`s${key}`, this.#labelSets, () => labels)
  }

  /** `timeNs` is since the start of the profile; ignored when the profile will have no times. */
  addSample(stack: number, labelSet: number, timeNs: number): void {
    if (this.#stack.length >= LIMITS.samples) this.#tooMuch(`it has more than ${LIMITS.samples} samples`)
    this.#stack.push(stack)
    this.#labelSet.push(labelSet)
    this.#timeNs.push(timeNs)
  }

  /** The profile; the draft must not be used afterwards. */
  finish({ sampleTypes, defaultSampleType, values, hasTimes, ...rest }: DraftRest): Profile {
    const { first: parent, second: location } = this.#stacks.columns()
    const samples: SampleTable = {
      stack: Int32Array.from(this.#stack),
      labelSet: Int32Array.from(this.#labelSet),
      timeNs: hasTimes ? Float64Array.from(this.#timeNs) : null,
      values,
    }
    return {
      sampleTypes,
      defaultSampleType,
      periodType: null,
      period: 0n,
      timeNs: 0n,
      durationNs: rest.durationNs ?? 0n,
      mappings: this.#mappings,
      functions: this.#functions,
      locations: this.#locations,
      stacks: { parent, location },
      samples,
      labelSets: this.#labelSets,
      comments: rest.comments ?? [],
      dropFrames: '',
      keepFrames: '',
      docUrl: '',
      capture: null,
    }
  }

  #intern<T>(key: string, table: T[], make: () => T): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    if (this.#ids.size >= LIMITS.tableEntries) {
      this.#tooMuch(`it has more than ${LIMITS.tableEntries} distinct names, frames and labels`)
    }
    this.#ids.set(key, table.length)
    return table.push(make()) - 1
  }

  #tooMuch(reason: string): never {
    throw new AgentError('input_invalid', `cannot read the ${this.#format}: ${reason}, which is our limit`)
  }
}
