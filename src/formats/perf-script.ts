/**
 * The text of `perf script` -> Profile, a chunk at a time: a file of gigabytes costs its distinct frames and its
 * samples, not its length. Labels: comm, thread, pid and tid (as far as printed), cpu.
 *
 * A file of one event has two columns, samples and the sum of the event's periods; one of several events has a column
 * for each, as samples of different events must not be added up.
 */
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'
import type { Label, Profile, ValueType } from '../model/profile.ts'
import { ownCopy } from './own-copy.ts'
import {
  NOWHERE,
  type PerfFrame,
  type PerfHeader,
  type PerfPlace,
  parseFrame,
  parseHeader,
  parseSourceLine,
} from './perf-script-lines.ts'
import { PerfScriptStack } from './perf-script-stack.ts'
import { ProfileDraft } from './profile-draft.ts'

const FILE = 'perf script output'
/** Frames of one sample; perf itself stops at 127 and, for copied stacks, far below this. */
const MOST_FRAMES = 65_536
/** Lines of frames that are remembered; more of them make the table start anew. */
const MOST_REMEMBERED = 1 << 18

/**
 * `push` text in pieces of any size, then `finish`. Both throw AgentError input_invalid: `not perf script output: …`
 * when the first line is none, `damaged at line n` later, `cannot read …` when the text passes one of our limits.
 */
export class PerfScriptReader {
  readonly #draft = new ProfileDraft(FILE)
  readonly #stack = new PerfScriptStack(this.#draft)
  #rest = ''
  #lineNumber = 0
  /** The sample whose frames are being read. */
  #header: PerfHeader | null = null
  #frames: PerfFrame[] = []
  #places: PerfPlace[] = []
  readonly #events: string[] = []
  readonly #eventOf: number[] = []
  readonly #period: number[] = []
  readonly #timeNs: number[] = []
  readonly #rows: { stack: number[]; labelSet: number[] } = { stack: [], labelSet: [] }
  #withoutTime = 0
  #withoutPeriod = 0
  #lost = 0
  /** Frames by their line. */
  readonly #seen = new Map<string, PerfFrame>()
  readonly #labelSets = new Map<string, number>()

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
      const reason = `line ${this.#lineNumber + 1} has more than ${LIMITS.foldedLineChars} characters`
      throw new AgentError('input_invalid', `cannot read the ${FILE}: ${reason}, which is our limit`)
    }
  }

  finish(): Profile {
    this.#readLine(this.#rest)
    this.#endSample()
    if (this.#rows.stack.length === 0) throw new AgentError('input_invalid', `not ${FILE}: it has no sample`)
    const { first, last } = this.#timeRange()
    for (const [row, stack] of this.#rows.stack.entries()) {
      this.#draft.addSample(stack, this.#rows.labelSet[row]!, this.#timeNs[row]! - first)
    }
    const comments = [`events: ${this.#events.map((event) => event || 'unnamed').join(', ')}`]
    if (this.#lost > 0) comments.push(`perf lost ${this.#lost} samples`)
    return this.#draft.finish({
      ...this.#columns(),
      hasTimes: this.#withoutTime === 0,
      durationNs: BigInt(Math.round(last - first)),
      comments,
    })
  }

  #readLine(text: string): void {
    this.#lineNumber++
    const line = text.endsWith('\r') ? text.slice(0, -1) : text
    if (line.startsWith('#')) return
    if (this.#header !== null && line.trim() !== '' && /^\s/.test(line) && this.#readFrameLine(line)) return
    this.#endSample()
    if (line.includes(' PERF_RECORD_')) this.#countRecord(line)
    else if (line.trim() !== '') this.#beginSample(line)
  }

  /** False when the line is none of a sample's: perf indents the headers of samples without call chains. */
  #readFrameLine(line: string): boolean {
    if (line[0] !== '\t' && (parseHeader(line)?.timeNs ?? null) !== null) return false
    const frame = this.#frameOf(line)
    if (frame !== null) {
      if (this.#frames.length >= MOST_FRAMES) this.#damaged(`its sample has more than ${MOST_FRAMES} frames`)
      this.#frames.push(frame)
      this.#places.push(NOWHERE)
      return true
    }
    const place = parseSourceLine(line)
    const last = this.#frames.length - 1
    if (place === null || last < 0) return place !== null
    this.#places[last] = place
    if (place.isInlined) this.#frames[last] = { ...this.#frames[last]!, isInlined: true }
    return true
  }

  /** Most lines were seen before. */
  #frameOf(line: string): PerfFrame | null {
    const known = this.#seen.get(line)
    if (known !== undefined) return known
    const frame = parseFrame(ownCopy(line))
    if (frame === null) return null
    if (this.#seen.size >= MOST_REMEMBERED) this.#seen.clear()
    this.#seen.set(ownCopy(line), frame)
    return frame
  }

  #beginSample(line: string): void {
    const header = parseHeader(line)
    if (header === null) this.#damaged(`is neither the head of a sample nor a frame: '${shown(line)}'`)
    this.#header = header
    // Without a call chain the one frame follows on the same line.
    const frame = header.rest === '' ? null : parseFrame(header.rest)
    if (frame !== null && (frame.dso !== '' || frame.symbol !== '[unknown]')) {
      this.#frames.push(frame)
      this.#places.push(NOWHERE)
    }
  }

  /** Records that are no samples: of what was lost we tell, the others are for tools. */
  #countRecord(line: string): void {
    if (line.includes('PERF_RECORD_LOST')) this.#lost += Number(/lost\s+(\d+)/.exec(line)?.[1] ?? 1)
  }

  #endSample(): void {
    const header = this.#header
    if (header === null) return
    this.#header = null
    this.#rows.stack.push(this.#stack.of(this.#frames, this.#places))
    this.#rows.labelSet.push(this.#labelSetOf(header))
    this.#frames = []
    this.#places = []
    if (header.timeNs === null) this.#withoutTime++
    if (header.period === null) this.#withoutPeriod++
    this.#timeNs.push(header.timeNs ?? 0)
    this.#period.push(header.period ?? 1)
    let event = this.#events.indexOf(header.event)
    if (event < 0) event = this.#events.push(ownCopy(header.event)) - 1
    this.#eventOf.push(event)
  }

  #labelSetOf({ comm, pid, tid, cpu }: PerfHeader): number {
    const key = `${comm}\0${pid}/${tid}/${cpu}`
    const known = this.#labelSets.get(key)
    if (known !== undefined) return known
    const name = ownCopy(comm)
    const labels: Label[] = [
      ...(comm === ''
        ? []
        : [
            { key: 'comm', str: name },
            { key: 'thread', str: name },
          ]),
      ...(pid === null ? [] : [{ key: 'pid', num: pid }]),
      { key: 'tid', num: tid },
      ...(cpu === null ? [] : [{ key: 'cpu', num: cpu }]),
    ]
    const id = this.#draft.labelSet(labels)
    this.#labelSets.set(ownCopy(key), id)
    return id
  }

  #timeRange(): { first: number; last: number } {
    let [first, last] = [this.#timeNs[0] ?? 0, this.#timeNs[0] ?? 0]
    for (const at of this.#timeNs) {
      first = Math.min(first, at)
      last = Math.max(last, at)
    }
    return this.#withoutTime > 0 ? { first: 0, last: 0 } : { first, last }
  }

  #columns(): { sampleTypes: ValueType[]; defaultSampleType: number; values: Float64Array[] } {
    const count = this.#period.length
    if (this.#events.length > 1) {
      const values = this.#events.map(() => new Float64Array(count))
      for (let row = 0; row < count; row++) values[this.#eventOf[row]!]![row] = this.#period[row]!
      return { sampleTypes: this.#events.map(eventType), defaultSampleType: 0, values }
    }
    const samples = { type: 'samples', unit: 'count' }
    const ones = new Float64Array(count).fill(1)
    const [event] = this.#events
    if (this.#withoutPeriod > 0 || event === undefined)
      return { sampleTypes: [samples], defaultSampleType: 0, values: [ones] }
    return {
      sampleTypes: [samples, eventType(event)],
      defaultSampleType: 1,
      values: [ones, Float64Array.from(this.#period)],
    }
  }

  #damaged(reason: string): never {
    const where =
      this.#rows.stack.length === 0 && this.#header === null ? `not ${FILE}` : `the ${FILE} is damaged`
    throw new AgentError('input_invalid', `${where}: line ${this.#lineNumber} ${reason}`)
  }
}

/** The clocks count nanoseconds; 'cpu-clock:pppH' is the clock with modifiers. */
function eventType(event: string): ValueType {
  const isClock = /(^|\/)(cpu-clock|task-clock)(:|$|\/)/.test(event)
  return isClock ? { type: 'cpu', unit: 'nanoseconds' } : { type: event || 'event', unit: 'count' }
}

function shown(line: string): string {
  const text = line.length > 60 ? `${line.slice(0, 60)}…` : line
  return text.replace(/[^\x20-\x7e…]/g, '?')
}
