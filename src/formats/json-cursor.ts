/**
 * Walks parsed JSON of unknown origin: every step checks a type, every error names the path of the value.
 *
 * Not a schema validator: unknown keys pass, so that a newer minor version of a file can still be read.
 */
import { AgentError } from '../errors.ts'

const INTEGER = /^-?\d{1,20}$/
const MOST = 2n ** 64n
const LEAST = -(2n ** 63n)

/** JSON text as a value. Errors: AgentError `input_invalid` with the place. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new AgentError(
      'input_invalid',
      `the JSON is damaged: ${reason.slice(0, 120).replace(/\s+/g, ' ')}`,
      { cause },
    )
  }
}

/** Neither an array nor null. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One value and where it is. All accessors throw AgentError input_invalid when the value is something else. */
export class JsonCursor {
  readonly value: unknown
  readonly #path: string
  readonly #file: string

  /** `file` is what the errors call the whole. */
  constructor(value: unknown, path = '', file = 'JSON profile') {
    this.value = value
    this.#path = path
    this.#file = file
  }

  /** The value of a key; the cursor of a missing key holds undefined. */
  get(key: string): JsonCursor {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value)) {
      this.#refuse('an object')
    }
    const value = Object.hasOwn(this.value, key) ? (this.value as Record<string, unknown>)[key] : undefined
    return new JsonCursor(value, this.#path === '' ? key : `${this.#path}.${key}`, this.#file)
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

  /** JSON has no infinity, but 1e999 is read as one. */
  finite(): number {
    return Number.isFinite(this.value) ? (this.value as number) : this.#refuse('a finite number')
  }

  /** `read` of the value, `absent` where there is none. */
  optional<T>(read: (cursor: JsonCursor) => T, absent: T): T {
    return this.value === undefined || this.value === null ? absent : read(this)
  }

  /** An index into a table of `length` entries. */
  index(length: number): number {
    const value = this.integer()
    return value >= 0 && value < length ? value : this.#refuse(`from 0 to ${length - 1}`)
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
    return values.map((value, index) => read(new JsonCursor(value, `${this.#path}[${index}]`, this.#file)))
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
    return new JsonCursor(null, `${this.#path}[${index}]`, this.#file).#refuse(wanted)
  }

  #refuse(wanted: string): never {
    const object = this.#path === '' ? 'its top level' : `"${this.#path}"`
    throw new AgentError('input_invalid', `the ${this.#file} is damaged: ${object} must be ${wanted}`)
  }
}
