/**
 * From what a source gives to the values of keys. What is wrong becomes a fault, a sentence with its place, and reading goes
 * on: all that is wrong is told at once.
 */
import { nearest } from '../model/nearest.ts'
import {
  describe,
  type Given,
  isMasked,
  MASK,
  type RecordsType,
  readValue,
  type Value,
  WrongValue,
} from './key-type.ts'
import type { KeySpec } from './schema.ts'

export class KeyReader {
  readonly #faults: string[]

  /** `faults` is added to. */
  constructor(faults: string[]) {
    this.#faults = faults
  }

  /** undefined where it is wrong. `path`: how the value is called in a fault. */
  read(key: KeySpec, given: Given, path: string): Value | undefined {
    if (key.type.kind === 'records') return this.#records(key.type, given, path)
    try {
      const value = readValue(key.type, given)
      if (key.secret && isMasked(value))
        throw new WrongValue(
          `is the ${MASK} that --print-config writes in place of a secret: write the secret`,
        )
      return value
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error
      const reason = key.secret ? error.message.replace(/, got .*$/s, ', got something else') : error.message
      this.#faults.push(`${given.at}: "${path}" ${reason}`)
      return undefined
    }
  }

  /** A list of maps, each complete: what is not given has the default. */
  #records(type: RecordsType, given: Given, path: string): Value | undefined {
    const { fields, noun, itemsMax } = type
    if (given.kind === 'text' && given.text === '') return []
    if (given.kind !== 'list') {
      this.#faults.push(`${given.at}: "${path}" must be a list of ${noun}, each a map`)
      return undefined
    }
    if (given.items.length > itemsMax) {
      this.#faults.push(
        `${given.at}: "${path}" must have at most ${itemsMax} items, got ${given.items.length}`,
      )
      return undefined
    }
    return given.items.map((item, index) => {
      const faults = this.#faults.length
      const record: Record<string, Value> = {}
      for (const field of fields.filter((key) => !key.optional))
        record[field.path] = readValue(field.type, { kind: 'text', text: field.fallback, at: '' })
      this.map(item, fields, `${path}[${index}]`, (field, value) => {
        const read = this.read(field, value, `${path}[${index}].${field.path}`)
        if (read !== undefined) record[field.path] = read
      })
      // What is wrong in itself is not missing too.
      const fault = this.#faults.length > faults ? '' : recordFault(type, record)
      if (fault !== '') this.#faults.push(`${item.at}: "${path}[${index}]" ${fault}`)
      return record
    })
  }

  /** Calls `take` for each key that the map and the maps in it name; the others are faults. `root` is what they lie in. */
  map(
    given: Given,
    keys: readonly KeySpec[],
    root: string,
    take: (key: KeySpec, value: Given) => void,
  ): void {
    const full = (path: string): string => [root, path].filter(Boolean).join('.')
    const walk = (map: Given, prefix: string): void => {
      // `queue:` with nothing below it says nothing.
      if (map.kind === 'scalar' && map.value === null) return
      if (map.kind !== 'map') {
        this.#faults.push(
          `${map.at}: "${full(prefix.slice(0, -1))}" must be a map of keys, got ${describe(map)}`,
        )
        return
      }
      for (const [name, value] of map.entries) {
        const path = prefix + name
        const key = keys.find((known) => known.path === path)
        if (key) take(key, value)
        else if (keys.some((known) => known.path.startsWith(`${path}.`))) walk(value, `${path}.`)
        else
          this.#faults.push(
            `${value.keyAt ?? value.at}: unknown key "${full(path)}"${nearestKey(path, keys, full)}`,
          )
      }
    }
    walk(given, '')
  }
}

/** What a record lacks, as the end of a sentence; '' for nothing. An empty text is as good as none. */
function recordFault({ required, oneOf }: RecordsType, record: Readonly<Record<string, Value>>): string {
  const isThere = (name: string): boolean => record[name] !== undefined && record[name] !== ''
  const missing = required.find((name) => !isThere(name))
  if (missing !== undefined) return `needs ${/^[aeiou]/.test(missing) ? 'an' : 'a'} ${missing}`
  const given = oneOf.filter(isThere)
  if (oneOf.length === 0 || given.length === 1) return ''
  return `needs exactly one of ${oneOf.join(', ')}, got ${given.join(' and ') || 'none'}`
}

/** The last word decides where a key was put below the wrong one: `maxBytes` for `queue.maxBytes`. */
function nearestKey(path: string, keys: readonly KeySpec[], full: (path: string) => string): string {
  const known = keys.map((key) => key.path)
  const near =
    nearest(path, known, 1)[0] ?? known.find((name) => name.split('.').at(-1) === path.split('.').at(-1))
  return near === undefined ? '' : `; did you mean "${full(near)}"?`
}
