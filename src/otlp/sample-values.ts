/**
 * What a Sample holds besides its stack (P-12): timestamps that each mean one, values, or a value for each timestamp.
 *
 * On-CPU samples of our own captures, one for each tick, are timestamps alone, which is what every receiver takes;
 * that each also stands for one period of CPU time follows from the period. Anything else has its values.
 */
import type { Profile } from '../model/profile.ts'
import { clampInt64, exactValue } from '../model/sample-rows.ts'
import { WIRE_BYTES } from '../protobuf/reader.ts'
import type { WireWriter } from '../protobuf/writer.ts'

export type SampleShape = 'timestamps' | 'values' | 'both'

/** Field numbers of Sample. */
const VALUES = 4
const TIMESTAMPS = 5
const HIGH_UNIT = 2 ** 32

/** Start and duration that hold every timestamp, the end exclusive (P-13): wider than the profile's own if need be. */
export function timeRange(profile: Profile): { timeNs: bigint; durationNs: bigint } {
  const { timeNs, durationNs, samples } = profile
  if (samples.timeNs === null || samples.timeNs.length === 0) return { timeNs, durationNs }
  let first = Infinity
  let last = -Infinity
  for (const time of samples.timeNs) {
    const whole = wholeNs(time)
    if (whole < first) first = whole
    if (whole > last) last = whole
  }
  const earlier = first < 0 ? BigInt(-first) : 0n
  const end = BigInt(last) >= durationNs ? BigInt(last) + 1n : durationNs
  return { timeNs: timeNs - earlier, durationNs: end + earlier }
}

/** Whole nanoseconds; what is no time within 104 days of the start is the start. */
function wholeNs(time: number): number {
  const whole = Math.round(time)
  return Number.isSafeInteger(whole) ? whole : 0
}

/** Writes values and timestamps of rows that are one Sample. */
export class SampleValues {
  readonly shape: SampleShape
  readonly #profile: Profile
  readonly #baseLow: number
  readonly #baseHigh: number

  /** `areOneEach`: every sample is one of its period (sample-periods.ts). */
  constructor(profile: Profile, areOneEach: boolean) {
    this.#profile = profile
    const { timeNs } = profile.samples
    this.shape = timeNs === null ? 'values' : areOneEach ? 'timestamps' : 'both'
    const base = BigInt.asUintN(64, profile.timeNs)
    this.#baseLow = Number(base % 2n ** 32n)
    this.#baseHigh = Number(base >> 32n)
  }

  /** One Profile message for each of the columns, but for the count alone where all is said by timestamps. */
  get columns(): number {
    return this.shape === 'timestamps' ? 1 : this.#profile.sampleTypes.length
  }

  /** Most bytes of one row in all columns; 0 where all rows together are one value. */
  get rowBytes(): number {
    if (this.shape === 'timestamps') return 8
    return this.shape === 'both' ? 18 * this.columns : 0
  }

  write(writer: WireWriter, rows: Int32Array, column: number): void {
    if (this.shape !== 'timestamps') {
      const list = writer.begin(VALUES)
      if (this.shape === 'values') writeVarint(writer, this.#sum(rows, column))
      else for (const row of rows) writeVarint(writer, exactValue(this.#profile.samples, row, column))
      writer.end(list)
    }
    if (this.shape !== 'values') this.#writeTimes(writer, rows)
  }

  #sum(rows: Int32Array, column: number): number | bigint {
    const { samples } = this.#profile
    let sum = exactValue(samples, rows[0]!, column)
    for (let i = 1; i < rows.length; i++) {
      const value = exactValue(samples, rows[i]!, column)
      const next = typeof sum === 'number' && typeof value === 'number' ? sum + value : 0
      const isExact = Number.isSafeInteger(next) && typeof sum === 'number' && typeof value === 'number'
      sum = isExact ? next : BigInt(sum) + BigInt(value)
    }
    return typeof sum === 'bigint' ? clampInt64(sum) : sum
  }

  #writeTimes(writer: WireWriter, rows: Int32Array): void {
    const times = this.#profile.samples.timeNs!
    writer.tag(TIMESTAMPS, WIRE_BYTES)
    writer.varint(8 * rows.length)
    for (let i = 0; i < rows.length; i++) {
      const time = wholeNs(times[rows[i]!]!)
      const high = Math.floor(time / HIGH_UNIT)
      const low = this.#baseLow + (time - high * HIGH_UNIT)
      writer.fixed64Halves(low, this.#baseHigh + high + (low >= HIGH_UNIT ? 1 : 0))
    }
  }
}

function writeVarint(writer: WireWriter, value: number | bigint): void {
  if (typeof value === 'number') writer.varint64(value, Math.floor(value / HIGH_UNIT))
  else writer.varint64(Number(BigInt.asUintN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
}
