/**
 * Walks parsed JSON of unknown origin: every step checks a type, every error names the path of the value.
 *
 * Not a schema validator: unknown keys pass, so that a newer minor version of a file can still be read.
 */
import { AgentError } from '../errors.ts'

const INTEGER = /^-?\d{1,20}$/
const MOST = 2n ** 64n
const LEAST = -(2n ** 63n)

/** One value and where it is. All accessors throw AgentError input_invalid when the value is something else. */
export class JsonCursor {
  readonly value: unknown
  readonly #path: string

  constructor(value: unknown, path = '') {
    this.value = value
    this.#path = path
  }

  /** The value of a key; the cursor of a missing key holds undefined. */
  get(key: string): JsonCursor {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      this.#refuse('an object')
    }
    const value = Object.hasOwn(this.value, key) ? (this.value as Record<string, unknown>)[key] : undefined
    return new JsonCursor(value, this.#path === '' ? key : `${this.#path}.${key}`)
  }

  get isAbsent(): boolean {
    return this.value === undefined
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.#refuse('a string')
  }

  /** One of `choices`. */
  choice<T extends string>(choices: readonly T[]): T {
    return choices.find((choice) => choice === this.value) ?? this.#refuse(`one of ${choices.join(', ')}`)
  }

  number(): number {
    return typeof this.value === 'number' ? this.value : this.#refuse('a number')
  }

  integer(): number {
    return Number.isSafeInteger(this.value) ? (this.value as number) : this.#refuse('an integer')
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.#refuse('true or false')
  }

  /** A decimal string within int64 or uint64. */
  bigint(): bigint {
    const parsed = typeof this.value === 'string' && INTEGER.test(this.value) ? BigInt(this.value) : MOST
    return parsed < MOST && parsed >= LEAST ? parsed : this.#refuse('a decimal string of at most 64 bits')
  }

  /** Null stays null; everything else goes to `read`. */
  nullable<T>(read: (cursor: JsonCursor) => T): T | null {
    return this.value === null ? null : read(this)
  }

  array<T>(read: (cursor: JsonCursor) => T): T[] {
    const values = this.#values()
    return values.map((value, index) => read(new JsonCursor(value, `${this.#path}[${index}]`)))
  }

  /** The values of an object by key. */
  record<T>(read: (cursor: JsonCursor) => T): Record<string, T> {
    this.get('')
    const keys = Object.keys(this.value as object)
    return Object.fromEntries(keys.map((key) => [key, read(this.get(key))]))
  }

  int32s(): Int32Array {
    const values = this.#values()
    for (const [index, value] of values.entries()) {
      if (typeof value !== 'number' || (value | 0) !== value) this.#refuseItem(index, 'a 32-bit integer')
    }
    return Int32Array.from(values as number[])
  }

  float64s(): Float64Array {
    const values = this.#values()
    for (const [index, value] of values.entries()) {
      if (typeof value !== 'number') this.#refuseItem(index, 'a number')
    }
    return Float64Array.from(values as number[])
  }

  #values(): readonly unknown[] {
    return Array.isArray(this.value) ? this.value : this.#refuse('an array')
  }

  #refuseItem(index: number, wanted: string): never {
    return new JsonCursor(null, `${this.#path}[${index}]`).#refuse(wanted)
  }

  #refuse(wanted: string): never {
    const object = this.#path === '' ? 'its top level' : `"${this.#path}"`
    throw new AgentError('input_invalid', `the JSON profile is damaged: ${object} must be ${wanted}`)
  }
}
