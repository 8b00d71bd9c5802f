/** One place in a JSON document that others wrote: every value is checked, every error says where it stood. */

import { AgentError } from '../errors.ts'
import { fromBase64, fromHex } from '../model/byte-text.ts'

const INT32 = 2 ** 31

export class JsonNode {
  readonly #value: unknown
  readonly #parent: JsonNode | null
  readonly #name: string

  constructor(value: unknown, parent: JsonNode | null = null, name = '') {
    this.#value = value
    this.#parent = parent
    this.#name = name
  }

  /** As in `resourceProfiles[0].scopeProfiles[1].profiles`. */
  get path(): string {
    const above = this.#parent?.path ?? ''
    return above === '' || this.#name.startsWith('[') ? above + this.#name : `${above}.${this.#name}`
  }

  fail(reason: string): never {
    throw new AgentError(
      'input_invalid',
      `the OTLP JSON is damaged: ${this.path || 'the document'} ${reason}`,
    )
  }

  /** Null and absent are the same in proto3 JSON. */
  get isSet(): boolean {
    return this.#value !== undefined && this.#value !== null
  }

  /** A field in lowerCamelCase, or in the snake_case that some senders write. */
  get(key: string): JsonNode {
    const value = this.#value as Record<string, unknown>
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail('must be an object')
    const found = Object.hasOwn(value, key)
      ? value[key]
      : value[key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)]
    return new JsonNode(found, this, key)
  }

  /** Elements of a list; none when it is not set. */
  list(): JsonNode[] {
    if (!this.isSet) return []
    if (!Array.isArray(this.#value)) this.fail('must be a list')
    return this.#value.map((element, i) => new JsonNode(element, this, `[${i}]`))
  }

  text(): string {
    if (!this.isSet) return ''
    return typeof this.#value === 'string' ? this.#value.toString() : this.fail('must be a text')
  }

  boolean(): boolean {
    return typeof this.#value === 'boolean' ? this.#value : this.fail('must be true or false')
  }

  /** 0 when not set; a number or a decimal text. */
  integer(): bigint {
    const value = this.#value ?? 0
    if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
    if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
    return this.fail('must be an integer')
  }

  int64(): bigint {
    const value = this.integer()
    return value === BigInt.asIntN(64, value) ? value : this.fail(`must be an int64, it is ${value}`)
  }

  uint64(): bigint {
    const value = this.integer()
    return value === BigInt.asUintN(64, value) ? value : this.fail(`must be a uint64, it is ${value}`)
  }

  int32(): number {
    const value = Number(this.integer())
    return value >= -INT32 && value < INT32 ? value : this.fail(`must be an int32, it is ${value}`)
  }

  uint32(): number {
    const value = Number(this.integer())
    return value >= 0 && value < 2 * INT32 ? value : this.fail(`must be a uint32, it is ${value}`)
  }

  /** A number, or its text: 'NaN', 'Infinity' and '-Infinity' too. */
  double(): number {
    const value = this.#value
    if (typeof value === 'number') return value
    if (typeof value !== 'string' || value.trim() === '') return this.fail('must be a number')
    const number = Number(value)
    return Number.isNaN(number) && value !== 'NaN' ? this.fail('must be a number') : number
  }

  bytes(): Uint8Array {
    const text = this.text()
    if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) this.fail('must be base64')
    // base64url has two characters of its own.
    return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/')) ?? this.fail('must be base64')
  }

  /** Ids of `size` bytes: hex, of either case, or base64, told apart by their length (P-41, P-42). */
  id(size: number): Uint8Array {
    const text = this.text()
    return (text.length === 2 * size ? fromHex(text) : null) ?? this.bytes()
  }
}
