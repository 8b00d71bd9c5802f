/**
 * The log of the agent: a line per record on standard error, by level, as text or JSON. A message is a constant of our code,
 * what varies goes into fields: so repeats can be counted (repeats.ts), and no line is a secret's way out (secrets.ts).
 */
import { writeSync } from 'node:fs'
import { jsonLine, type LogFormat, textLine } from './format.ts'
import { LOG_LEVELS, type LogFields, type LogLevel, type LogRecord, type LogValue } from './record.ts'
import { RepeatLimit } from './repeats.ts'
import { Secrets } from './secrets.ts'

/** A field longer than this is cut: an HTML page of a proxy is no reason for a line of 100 kB. */
const FIELD_LENGTH_MAX = 1000
const FLUSH_EVERY_MS = 10_000
/** Of the error that tells two records of a message apart. */
const VARIANT_LENGTH_MAX = 300

/** What a stage sees of the log. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** The same log under another component's name. */
  of(component: string): Log
}

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
}

/** Where lines go and what time it is; tests bring their own. */
export interface LogWorld {
  /** Takes a line with its line end; throws when it can't. */
  readonly write: (line: string) => void
  readonly nowMs: () => number
}

const STANDARD_ERROR: LogWorld = { write: (line) => void writeSync(2, line), nowMs: Date.now }

export class AgentLog implements Log {
  #options: LogOptions
  readonly #world: LogWorld
  readonly #repeats = new RepeatLimit()
  readonly #secrets = new Secrets()
  readonly #listeners = new Set<(record: LogRecord) => void>()
  readonly #counts: Record<LogLevel, number> = { debug: 0, info: 0, warn: 0, error: 0 }
  #heldBack = 0
  #unwritten = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: LogOptions, world: LogWorld = STANDARD_ERROR) {
    this.#options = options
    this.#world = world
  }

  debug(message: string, fields?: LogFields): void {
    this.#add('debug', 'agent', message, fields)
  }
  info(message: string, fields?: LogFields): void {
    this.#add('info', 'agent', message, fields)
  }
  warn(message: string, fields?: LogFields): void {
    this.#add('warn', 'agent', message, fields)
  }
  error(message: string, fields?: LogFields): void {
    this.#add('error', 'agent', message, fields)
  }

  of(component: string): Log {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
      this.#add(level, component, message, fields)
    const of = (other: string) => this.of(other)
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), of }
  }

  /** Another level or format from now on: what a reload brings. */
  set(options: LogOptions): void {
    this.#options = options
  }

  /** The values (of headers, tokens) that must never be printed; replaces the former set. */
  setSecrets(values: Iterable<string>): void {
    this.#secrets.set(values)
  }

  /** Calls `listener` with every record that is printed, from now on; the answer ends it. */
  listen(listener: (record: LogRecord) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Records by level (held back ones too), those held back as repeats, and lines that could not be written. */
  stats() {
    return { records: { ...this.#counts }, heldBack: this.#heldBack, unwritten: this.#unwritten }
  }

  /** Tells what is held back; the log stays usable. For the end of the process. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#tellRepeats(true)
  }

  #add(level: LogLevel, component: string, message: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.#options.level)) return
    this.#counts[level]++
    const timeMs = this.#world.nowMs()
    const repeated = this.#repeats.admit(`${level} ${component} ${message}`, variantOf(fields), timeMs)
    if (repeated === null) {
      this.#heldBack++
      this.#timer ??= setTimeout(() => this.#tick(), FLUSH_EVERY_MS).unref()
      return
    }
    const record = { timeMs, level, component, message, fields: this.#plain(fields) }
    this.#emit(repeated > 0 ? { ...record, fields: { ...record.fields, repeated } } : record)
  }

  #emit(record: LogRecord): void {
    const safe = { ...record, message: this.#secrets.mask(record.message) }
    try {
      this.#world.write(`${this.#options.format === 'json' ? jsonLine(safe) : textLine(safe)}\n`)
    } catch {
      // Nobody reads standard error any more, or its pipe is full: profiling goes on, the metric tells.
      this.#unwritten++
    }
    for (const listener of this.#listeners) listener(safe)
  }

  #tick(): void {
    this.#timer = undefined
    this.#tellRepeats(false)
    if (this.#repeats.holdsBack) this.#timer = setTimeout(() => this.#tick(), FLUSH_EVERY_MS).unref()
  }

  #tellRepeats(atOnce: boolean): void {
    const timeMs = this.#world.nowMs()
    for (const { key, count } of this.#repeats.takeOver(timeMs, atOnce)) {
      const [level, component, ...words] = key.split(' ')
      const message = words.join(' ')
      this.#emit({
        timeMs,
        level: level as LogLevel,
        component: component!,
        message,
        fields: { repeated: count },
      })
    }
  }

  #plain(fields: LogFields): LogRecord['fields'] {
    const plain: Record<string, string | number | boolean | null> = {}
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue
      plain[name] = this.#plainValue(name, value)
      if (value instanceof Error && 'code' in value && !('code' in fields)) plain.code = String(value.code)
    }
    return plain
  }

  #plainValue(name: string, value: Exclude<LogValue, undefined>): string | number | boolean | null {
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    const text = this.#secrets.maskField(name, value instanceof Error ? messageOf(value) : String(value))
    return text.length > FIELD_LENGTH_MAX
      ? `${text.slice(0, FIELD_LENGTH_MAX)}... (${text.length} characters)`
      : text
  }
}

/** What a record is about and why; numbers in texts aside, which differ between two times of the same. */
function variantOf({ destination, reason, error }: LogFields): string {
  const text = String((error instanceof Error ? error.message : error) ?? '')
  return `${destination}\n${reason}\n${text.slice(0, VARIANT_LENGTH_MAX).replace(/\d+/g, '0')}`
}

/** The message of an error and of what caused it, a few deep. */
function messageOf(error: Error): string {
  const messages: string[] = []
  let at: unknown = error
  for (let depth = 0; at instanceof Error && depth < 4; depth++) {
    if (!messages.some((message) => message.includes((at as Error).message))) messages.push(at.message)
    at = at.cause
  }
  return messages.join(': ')
}
