/**
 * A configuration file as values with their places. YAML 1.2, of which JSON is a part. The parser is loaded only when
 * there is a file: an agent that runs by its environment alone starts without it.
 */
import type { Document, LineCounter, Node, ParsedNode } from 'yaml'
import type { Given } from './key-type.ts'

/** Maps in maps of our own files: three. */
const MAX_DEPTH = 8
const MAX_NODES = 20_000

/** The file's top level, or sentences about what is wrong with it, each beginning with FILE:LINE:COLUMN. */
export async function readYaml(text: string, name: string): Promise<ReadonlyMap<string, Given> | string[]> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  // No aliases at all: what a file of ours says stands where it says it, and a bomb of them stays asleep.
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  const place = placer(name, lines)
  if (document.errors.length > 0)
    return document.errors.map((error) => `${place(error.pos[0])}: is no YAML: ${error.message}`)
  if (document.contents === null) return new Map()
  return new Reader(yaml, document, place).top()
}

type Place = (offset: number) => string

function placer(name: string, lines: LineCounter): Place {
  return (offset) => {
    const { line, col } = lines.linePos(offset)
    return `${name}:${line}:${col}`
  }
}

/** Walks the syntax tree; every fault is a sentence, the rest goes on. */
class Reader {
  readonly #yaml: typeof import('yaml')
  readonly #document: Document.Parsed
  readonly #place: Place
  readonly #faults: string[] = []
  #nodes = 0

  constructor(yaml: typeof import('yaml'), document: Document.Parsed, place: Place) {
    this.#yaml = yaml
    this.#document = document
    this.#place = place
  }

  top(): ReadonlyMap<string, Given> | string[] {
    const contents = this.#document.contents as ParsedNode
    // A file of comments and one of `null` say the same.
    if (this.#yaml.isScalar(contents) && contents.value === null) return new Map()
    const given = this.#read(contents, 0, 0)
    if (this.#faults.length > 0) return this.#faults
    if (given.kind === 'map') return given.entries
    return [
      `${given.at}: the file must be a map of keys, got ${given.kind === 'list' ? 'a list' : 'a single value'}`,
    ]
  }

  #read(node: Node | null, near: number, depth: number): Given {
    const offset = node?.range?.[0] ?? near
    const at = this.#place(offset)
    const nothing: Given = { kind: 'scalar', value: null, text: '', at }
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH)
      return this.#fault(at, 'the file is too large or nested too deep')
    if (node === null) return nothing
    if (this.#yaml.isAlias(node))
      return this.#fault(at, 'aliases (*name) are not supported: write the value out')
    if (this.#yaml.isSeq(node))
      return {
        kind: 'list',
        at,
        items: node.items.map((item) => this.#read(item as Node, offset, depth + 1)),
      }
    if (this.#yaml.isMap(node)) {
      const entries = new Map<string, Given>()
      for (const { key, value } of node.items) {
        const name = this.#read(key as Node, offset, depth + 1)
        if (name.kind !== 'scalar' || name.value === null) return this.#fault(name.at, 'a key must be a word')
        const read = this.#read(value as Node | null, (key as Node).range?.[0] ?? offset, depth + 1)
        entries.set(name.text, { ...read, keyAt: name.at })
      }
      return { kind: 'map', entries, at }
    }
    return this.#scalar(node, at)
  }

  #scalar(node: Node, at: string): Given {
    if (!this.#yaml.isScalar(node)) return this.#fault(at, 'is of no kind we know')
    const { value } = node
    const isKnown = value === null || ['string', 'number', 'boolean'].includes(typeof value)
    if (!isKnown) return this.#fault(at, 'must be a text, a number, true or false')
    const text = typeof value === 'string' ? value : (node.source ?? String(value))
    return { kind: 'scalar', value: value as string | number | boolean | null, text, at }
  }

  #fault(at: string, message: string): Given {
    if (this.#faults.length < 10) this.#faults.push(`${at}: ${message}`)
    return { kind: 'scalar', value: null, text: '', at }
  }
}
