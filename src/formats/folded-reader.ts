/**
 * Folded stacks -> Profile, a chunk at a time: a file of a gigabyte costs its distinct stacks, not its length.
 *
 * Undoes the suffixes of folded.ts: `_[k]` and `_[j]` become the kind of the frame, `_[i]` frames become inlined lines
 * of the location before them. The number after the last space is the weight (a column `samples/count`); lines that
 * are empty or start with '#' are skipped; equal stacks are added up.
 */
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'
import { PairTable } from '../model/pair-table.ts'
import type { FrameKind, Line, Location, Profile, ProfileFunction } from '../model/profile.ts'
import { INLINED_SUFFIX, KIND_SUFFIXES } from './folded-suffixes.ts'
import { ownCopy } from './own-copy.ts'

const KINDS_BY_SUFFIX: readonly (readonly [string, FrameKind])[] = [
  [KIND_SUFFIXES.kernel, 'kernel'],
  [KIND_SUFFIXES.jit, 'jit'],
]

const SEMICOLON = 0x3b

const WEIGHT = /^-?\d+(\.\d+)?$/

/**
 * `push` text in pieces of any size, then `finish`. Both throw AgentError input_invalid: `not folded stacks: …` when
 * the first line is none, `damaged at line n: …` later, `cannot read …` when the text passes one of our limits.
 */
export class FoldedReader {
  #rest = ''
  #lineNumber = 0
  #lineCount = 0
  readonly #functions: ProfileFunction[] = []
  readonly #functionIds = new Map<string, number>()
  readonly #locations: Location[] = []
  /** By frame text with suffix: the location of that frame alone. */
  readonly #plain = new Map<string, number>()
  /** (location, function inlined on top) -> position in `#inlined`. */
  readonly #inlinedPairs = new PairTable()
  readonly #inlined: number[] = []
  readonly #tree = new PairTable()
  /** The stack of the last line: its text, its nodes root first, and where in the text each ends. */
  #lastStack = ''
  readonly #path: number[] = []
  readonly #pathEnds: number[] = []
  /** Weight by leaf node; undefined where no stack ends. */
  readonly #weights = new Map<number, number>()

  push(chunk: string): void {
    let start = 0
    for (let end = chunk.indexOf('\n'); end >= 0; end = chunk.indexOf('\n', start)) {
      const line = this.#rest + chunk.slice(start, end)
      this.#rest = ''
      start = end + 1
      this.#readLine(line)
    }
    this.#rest += chunk.slice(start)
    if (this.#rest.length > LIMITS.foldedLineChars) {
      tooMuch(`line ${this.#lineNumber + 1} has more than ${LIMITS.foldedLineChars} characters`)
    }
  }

  finish(): Profile {
    this.#readLine(this.#rest)
    this.#rest = ''
    if (this.#lineCount === 0)
      throw new AgentError('input_invalid', 'not folded stacks: there is no line in it')
    const { first: parent, second: location } = this.#tree.columns()
    const stack = Int32Array.from(this.#weights.keys())
    return {
      sampleTypes: [{ type: 'samples', unit: 'count' }],
      defaultSampleType: 0,
      periodType: null,
      period: 0n,
      timeNs: 0n,
      durationNs: 0n,
      mappings: [],
      functions: this.#functions,
      locations: this.#locations,
      stacks: { parent, location },
      samples: {
        stack,
        labelSet: new Int32Array(stack.length),
        timeNs: null,
        values: [Float64Array.from(this.#weights.values())],
      },
      labelSets: [[]],
      comments: [],
      dropFrames: '',
      keepFrames: '',
      docUrl: '',
      capture: null,
    }
  }

  #readLine(text: string): void {
    this.#lineNumber++
    const line = text.trimEnd()
    if (line === '' || line.startsWith('#')) return
    const space = line.lastIndexOf(' ')
    const weight = line.slice(space + 1)
    if (space < 0 || !WEIGHT.test(weight)) this.#refuse(line)
    this.#lineCount++
    const stack = line.slice(0, space).trimEnd()
    // py-spy writes a weight alone for a sample without a stack.
    const leaf = stack === '' ? -1 : this.#internStack(stack)
    if (!this.#weights.has(leaf)) limit(this.#weights.size, LIMITS.distinctEntries, 'distinct stacks')
    this.#weights.set(leaf, (this.#weights.get(leaf) ?? 0) + Number(weight))
  }

  #refuse(line: string): never {
    const shown = line.length > 60 ? `${line.slice(0, 60)}…` : line
    const where = this.#lineCount === 0 ? 'not folded stacks' : `the folded stacks are damaged`
    const reason = `does not end in a space and a number: '${shown.replace(/[^\x20-\x7e…]/g, '?')}'`
    throw new AgentError('input_invalid', `${where} at line ${this.#lineNumber}, which ${reason}`)
  }

  #internStack(stack: string): number {
    const known = this.#sharedDepth(stack)
    this.#path.length = known
    this.#pathEnds.length = known
    let node = known > 0 ? this.#path[known - 1]! : -1
    let start = known > 0 ? this.#pathEnds[known - 1]! + 1 : 0
    const frames = start > stack.length ? [] : stack.slice(start).split(';')
    for (let at = 0; at < frames.length; ) {
      start += frames[at]!.length + 1
      let location = this.#plainLocation(frames[at++]!)
      while (at < frames.length && frames[at]!.endsWith(INLINED_SUFFIX)) {
        start += frames[at]!.length + 1
        location = this.#inlineInto(location, frames[at++]!)
      }
      node = this.#tree.intern(node, location)
      this.#path.push(node)
      this.#pathEnds.push(start - 1)
    }
    this.#lastStack = stack
    limit(this.#tree.size, LIMITS.stackNodes, 'nodes of stacks')
    return node
  }

  /** How many of the last line's nodes this line shares; in sorted text nearly all of them. */
  #sharedDepth(stack: string): number {
    const last = this.#lastStack
    const most = Math.min(last.length, stack.length)
    let same = 0
    while (same < most && last.charCodeAt(same) === stack.charCodeAt(same)) same++
    let depth = 0
    for (; depth < this.#pathEnds.length; depth++) {
      const end = this.#pathEnds[depth]!
      const isWhole = end <= same && (end === stack.length || stack.charCodeAt(end) === SEMICOLON)
      if (!isWhole) break
    }
    // The frame after the shared ones may be inlined into the last of them, which then is another location.
    if (depth > 0) {
      const start = this.#pathEnds[depth - 1]! + 1
      const end = stack.indexOf(';', start)
      if (stack.slice(start, end < 0 ? undefined : end).endsWith(INLINED_SUFFIX)) depth--
    }
    return depth
  }

  #plainLocation(frame: string): number {
    const known = this.#plain.get(frame)
    if (known !== undefined) return known
    const [suffix, kind] = KINDS_BY_SUFFIX.find(([end]) => frame.endsWith(end)) ?? ['', 'native' as const]
    const index = this.#functionId(frame.slice(0, frame.length - suffix.length))
    const location = this.#addLocation([{ function: index, line: 0, column: 0 }], kind)
    this.#plain.set(ownCopy(frame), location)
    return location
  }

  /** The location with one more function inlined on top of it. */
  #inlineInto(location: number, frame: string): number {
    const index = this.#functionId(frame.slice(0, frame.length - INLINED_SUFFIX.length))
    const pair = this.#inlinedPairs.intern(location, index)
    const known = this.#inlined[pair]
    if (known !== undefined) return known
    const { lines, kind } = this.#locations[location]!
    limit(lines.length, LIMITS.inlinedLines, `frames inlined into one, at line ${this.#lineNumber}`)
    const added = this.#addLocation([{ function: index, line: 0, column: 0 }, ...lines], kind)
    this.#inlined[pair] = added
    return added
  }

  #addLocation(lines: readonly Line[], kind: FrameKind): number {
    limit(this.#locations.length, LIMITS.tableEntries, 'distinct frames')
    return (
      this.#locations.push({ mapping: -1, address: 0n, lines, isFolded: false, kind, unnamedReason: '' }) - 1
    )
  }

  #functionId(text: string): number {
    const known = this.#functionIds.get(text)
    if (known !== undefined) return known
    limit(this.#functions.length, LIMITS.tableEntries, 'distinct names')
    const name = ownCopy(text)
    const index = this.#functions.push({ name, systemName: '', fileName: '', startLine: 0 }) - 1
    this.#functionIds.set(name, index)
    return index
  }
}

function limit(count: number, most: number, what: string): void {
  if (count > most) tooMuch(`it has more than ${most} ${what}`)
}

function tooMuch(reason: string): never {
  throw new AgentError('input_invalid', `cannot read the folded stacks: ${reason}, which is our limit`)
}
