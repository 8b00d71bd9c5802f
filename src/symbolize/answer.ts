/**
 * Reads what the symbolizer process answers (grammar: native/symbolizer/protocol.h). Pure. The process reads hostile
 * files, so its answer is hostile too: every number is checked against what was asked, and lengths and counts are
 * bounded before anything is kept. What arrived before a damaged line stays valid.
 */

/** One function at one source position. Strings '' and numbers 0 where unknown; `name` is raw (mangled). */
export interface SourceFrame {
  readonly name: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  readonly column: number
  /** 1-based line of the function's declaration. */
  readonly startLine: number
}

/** Where an answer stands: going on, ended well, the process refused (see `failure`), or it is no answer at all. */
export type AnswerState = 'open' | 'done' | 'failed' | 'bad'

/** One answer being read; `take` gets its lines one by one, without the newline. */
export interface Answer {
  readonly state: AnswerState
  /** The process's own reason and text when `state` is 'failed'. */
  readonly failure: { readonly reason: string; readonly text: string }
  take(line: string): void
}

const MAX_STRINGS = 1 << 20
const MAX_FRAMES = 512
const FIELDS_PER_FRAME = 5
const MAX_LINE_NUMBER = 2 ** 31 - 1
const FAILED = /^failed ([a-z_]{1,32}) (.{0,500})/

function parseFailure(line: string): { reason: string; text: string } | undefined {
  const match = FAILED.exec(line)
  return match ? { reason: match[1]!, text: match[2]! } : undefined
}

/** A decimal integer from `min` to `max`, or undefined. */
function integer(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || !/^-?\d{1,20}$/.test(text)) return undefined
  const value = Number(text)
  return value >= min && value <= max ? value : undefined
}

/** Answer to a `lines` request for `count` addresses. */
export class LinesAnswer implements Answer {
  state: AnswerState = 'open'
  failure = { reason: '', text: '' }
  /** Frames of each address, innermost inlined function first; undefined where nothing is known. */
  readonly rows: (readonly SourceFrame[] | undefined)[]
  /** Numbers of the closing line, e.g. missing_alternate. */
  readonly counts = new Map<string, number>()
  private readonly strings: string[] = []

  constructor(count: number) {
    this.rows = new Array<undefined>(count).fill(undefined)
  }

  take(line: string): void {
    if (this.state !== 'open') return
    if (line.startsWith('s ') && this.strings.length < MAX_STRINGS) this.strings.push(line.slice(2))
    else if (line.startsWith('a ')) this.takeRow(line.split(' '))
    else if (line === 'done' || line.startsWith('done ')) this.takeCounts(line)
    else this.takeFailure(line)
  }

  private takeRow(fields: readonly string[]): void {
    const index = integer(fields[1], 0, this.rows.length - 1)
    const frames = (fields.length - 2) / FIELDS_PER_FRAME
    if (index === undefined || !Number.isInteger(frames) || frames > MAX_FRAMES) {
      this.state = 'bad'
      return
    }
    const row: SourceFrame[] = []
    for (let i = 0; i < frames; i++) {
      const frame = this.frameAt(fields, 2 + i * FIELDS_PER_FRAME)
      if (!frame) {
        this.state = 'bad'
        return
      }
      row.push(frame)
    }
    this.rows[index] = row
  }

  private frameAt(fields: readonly string[], at: number): SourceFrame | undefined {
    const name = integer(fields[at], -1, this.strings.length - 1)
    const file = integer(fields[at + 1], -1, this.strings.length - 1)
    if (name === undefined || file === undefined) return undefined
    return {
      name: this.strings[name] ?? '',
      file: this.strings[file] ?? '',
      line: integer(fields[at + 2], 0, MAX_LINE_NUMBER) ?? 0,
      column: integer(fields[at + 3], 0, MAX_LINE_NUMBER) ?? 0,
      startLine: integer(fields[at + 4], 0, MAX_LINE_NUMBER) ?? 0,
    }
  }

  private takeCounts(line: string): void {
    for (const field of line.split(' ').slice(1, 17)) {
      const [key, text] = field.split('=')
      const value = integer(text, 0, Number.MAX_SAFE_INTEGER)
      if (key && value !== undefined) this.counts.set(key, value)
    }
    this.state = 'done'
  }

  private takeFailure(line: string): void {
    const failure = parseFailure(line)
    if (failure) this.failure = failure
    this.state = failure ? 'failed' : 'bad'
  }
}

/** Answer to a `demangle` request for `names`. */
export class NamesAnswer implements Answer {
  state: AnswerState = 'open'
  failure = { reason: '', text: '' }
  /** The readable names so far, in the order asked. */
  readonly readable: string[] = []

  constructor(private readonly names: readonly string[]) {}

  take(line: string): void {
    if (this.state !== 'open') return
    const asked = this.names[this.readable.length]
    if (line === '=' && asked !== undefined) this.readable.push(asked)
    else if (line.startsWith('d ') && line.length > 2 && asked !== undefined)
      this.readable.push(line.slice(2))
    else if (line === 'done' && asked === undefined) this.state = 'done'
    else {
      const failure = parseFailure(line)
      if (failure) this.failure = failure
      this.state = failure ? 'failed' : 'bad'
    }
  }
}
