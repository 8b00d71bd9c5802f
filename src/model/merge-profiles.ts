/**
 * Several profiles of one producer, windows of a recording as a rule, as one: what is the same in them is kept once.
 *
 * Content decides: two windows have ids of their own for the same function, and one pid may stand for two processes.
 * Windows are added one at a time, so that whoever has many can pause in between. No object is made for a sample.
 */
import { AgentError } from '../errors.ts'
import { LIMITS } from './limits.ts'
import { mergeReports } from './merge-reports.ts'
import { ContentTables, type TableIds } from './merge-tables.ts'
import type { CaptureReport, Profile, SampleTable, SourceText } from './profile.ts'

/** Rows of one profile, in the ids of the merged tables. */
interface Rows {
  readonly startNs: bigint
  readonly samples: SampleTable
}

/** Profiles in, one profile out. */
export class ProfileMerger {
  readonly #tables = new ContentTables()
  readonly #parts: Rows[] = []
  readonly #reports: CaptureReport[] = []
  readonly #comments = new Set<string>()
  readonly #sources = new Map<string, SourceText>()
  #first: Profile | null = null
  #rows = 0
  #startNs = 0n
  #endNs = 0n

  /**
   * Adds a profile; the order does not matter for the content. Errors: AgentError `input_invalid` when its sample types
   * are others than those of the first, or the rows become more than LIMITS.samples.
   */
  add(profile: Profile): void {
    this.#check(profile)
    const endNs = profile.timeNs + profile.durationNs
    if (this.#first === null || profile.timeNs < this.#startNs) this.#startNs = profile.timeNs
    if (this.#first === null || endNs > this.#endNs) this.#endNs = endNs
    this.#first ??= profile
    this.#rows += profile.samples.stack.length
    if (profile.capture !== null) this.#reports.push(profile.capture)
    for (const comment of profile.comments) this.#comments.add(comment)
    for (const source of profile.sources ?? []) this.#sources.set(JSON.stringify(source), source)
    const ids = this.#tables.add(profile)
    this.#parts.push({ startNs: profile.timeNs, samples: withIds(profile.samples, ids) })
  }

  #check(profile: Profile): void {
    const rows = this.#rows + profile.samples.stack.length
    if (rows > LIMITS.samples) {
      const reason = `they hold ${rows} samples, and one profile at most ${LIMITS.samples}`
      throw new AgentError('input_invalid', `cannot merge the profiles: ${reason}; take a shorter time`)
    }
    if (this.#first === null || typesOf(this.#first) === typesOf(profile)) return
    const [one, other] = [typesOf(this.#first), typesOf(profile)]
    throw new AgentError(
      'input_invalid',
      `cannot merge profiles of different sample types (${one} and ${other}); merge those of one type`,
    )
  }

  /** What was added, as one profile; null when nothing was. Its duration reaches from the first start to the last end. */
  finish(): Profile | null {
    const first = this.#first
    if (first === null) return null
    const { origins, ...tables } = this.#tables.finish()
    const { origins: _replaced, sources: _merged, ...small } = first
    return {
      ...small,
      ...tables,
      timeNs: this.#startNs,
      durationNs: this.#endNs - this.#startNs,
      samples: this.#samples(first.sampleTypes.length),
      comments: [...this.#comments],
      capture: mergeReports(this.#reports),
      ...(origins === null ? {} : { origins }),
      ...(this.#sources.size === 0 ? {} : { sources: [...this.#sources.values()] }),
    }
  }

  #samples(columns: number): SampleTable {
    const stack = new Int32Array(this.#rows)
    const labelSet = new Int32Array(this.#rows)
    const timeNs = this.#parts.some(({ samples }) => samples.timeNs === null)
      ? null
      : new Float64Array(this.#rows)
    const values = Array.from({ length: columns }, () => new Float64Array(this.#rows))
    const wideValues = new Map<number, bigint>()
    let at = 0
    for (const { startNs, samples } of this.#parts) {
      stack.set(samples.stack, at)
      labelSet.set(samples.labelSet, at)
      if (timeNs !== null) copyShifted(samples.timeNs!, timeNs, at, Number(startNs - this.#startNs))
      for (let column = 0; column < columns; column++) values[column]!.set(samples.values[column]!, at)
      for (const [key, value] of samples.wideValues ?? []) wideValues.set(at * columns + key, value)
      at += samples.stack.length
    }
    const table = { stack, labelSet, timeNs, values }
    return wideValues.size === 0 ? table : { ...table, wideValues }
  }
}

/** All of them at once; null for none. Errors: as `ProfileMerger.add`. */
export function mergeProfiles(profiles: Iterable<Profile>): Profile | null {
  const merger = new ProfileMerger()
  for (const profile of profiles) merger.add(profile)
  return merger.finish()
}

function typesOf(profile: Profile): string {
  return profile.sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(', ')
}

function withIds(samples: SampleTable, ids: TableIds): SampleTable {
  return {
    ...samples,
    stack: mapped(samples.stack, ids.stacks),
    labelSet: mapped(samples.labelSet, ids.labelSets),
  }
}

/** -1 stays what it is: nothing. */
function mapped(column: Int32Array, ids: Int32Array): Int32Array {
  const out = new Int32Array(column.length)
  for (let row = 0; row < out.length; row++) out[row] = column[row]! < 0 ? -1 : ids[column[row]!]!
  return out
}

function copyShifted(from: Float64Array, to: Float64Array, at: number, shift: number): void {
  for (let row = 0; row < from.length; row++) to[at + row] = from[row]! + shift
}
