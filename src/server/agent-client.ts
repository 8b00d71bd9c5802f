/** Commands on this host asking the running agent, by its unix socket: which windows it has, and the windows themselves. */
import { request } from 'node:http'
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { AgentError } from '../errors.ts'
import { decodeWindow } from '../formats/packed-window.ts'
import type { Profile } from '../model/profile.ts'
import { type AgentRecord, isRunning, readRecord } from './agent-record.ts'

/** A window the agent has; times in unix milliseconds. */
export interface AvailableWindow {
  readonly id: number
  readonly startMs: number
  readonly endMs: number
  readonly samples: number
}

const TIMEOUT_MS = 10_000
/** Of one answer: the recorder holds no more in all of its windows. */
const MAX_BYTES = 2 ** 28
/** Of one window unpacked. */
const MAX_UNPACKED_BYTES = 2 ** 30
const inflated = promisify(inflate)

/** A running agent. */
export class AgentClient {
  readonly #record: AgentRecord

  private constructor(record: AgentRecord) {
    this.#record = record
  }

  /**
   * The agent that wrote its record into a directory. Errors: AgentError `target_not_found` when none runs,
   * `not_permitted` when the record is not ours to read.
   */
  static find(directory: string): AgentClient {
    const record = readRecord(directory)
    const remedy =
      'start one with: sudo profile agent (or record from now on: profile --all); for one with a runDir of its own set EMBERSCOPE_RUN_DIR'
    if (record === null)
      throw new AgentError(
        'target_not_found',
        `no agent runs here (there is no ${directory}/agent.json); ${remedy}`,
      )
    if (!isRunning(record)) {
      const reason = `the one of ${directory} (pid ${record.pid}) has ended`
      throw new AgentError('target_not_found', `no agent runs here: ${reason}; ${remedy}`)
    }
    return new AgentClient(record)
  }

  get pid(): number {
    return this.#record.pid
  }

  /** Of the page, with the token; '' when it has none. */
  get url(): string {
    return this.#record.url
  }

  /** Oldest first. */
  async windows(): Promise<AvailableWindow[]> {
    let windows: unknown
    try {
      windows = (JSON.parse((await this.#get('windows')).toString()) as { windows?: unknown }).windows
    } catch (cause) {
      if (cause instanceof AgentError) throw cause
      throw new AgentError('input_invalid', 'the agent answers no list of windows', { cause })
    }
    return (Array.isArray(windows) ? windows : []).map((row: Record<string, unknown>) => {
      const startMs = Date.parse(String(row.time))
      return {
        id: Number(row.id),
        startMs,
        endMs: startMs + Number(row.durationMs),
        samples: Number(row.samples),
      }
    })
  }

  /** null when the window has been dropped meanwhile. */
  async window(id: number): Promise<Profile | null> {
    const packed = await this.#get(`window/${id}`)
    if (packed.length === 0) return null
    return decodeWindow(await inflated(packed, { maxOutputLength: MAX_UNPACKED_BYTES }))
  }

  /** An OTLP request with the windows from the one that begins at `firstMs` to the one that begins at `lastMs`. */
  async otlp(firstMs: number, lastMs: number): Promise<Uint8Array> {
    // The list tells whole milliseconds: a moment later is inside these windows, and in none beside them.
    const [from, to] = [firstMs + 1, lastMs + 2].map((ms) => new Date(ms).toISOString())
    const bytes = await this.#get(`profile?format=otlp&from=${from}&to=${to}`)
    if (bytes.length === 0)
      throw new AgentError('no_samples', 'the agent has forgotten these windows meanwhile; ask again')
    return bytes
  }

  /** The body of an answer; empty for 404. */
  #get(place: string): Promise<Buffer> {
    const { socket, token, pid } = this.#record
    const headers = { authorization: `Bearer ${token}`, host: 'localhost' }
    return new Promise((resolve, reject) => {
      const asking = request({
        socketPath: socket,
        path: `/${place}`,
        headers,
        timeout: TIMEOUT_MS,
        agent: false,
      })
      const fail = (reason: string, cause?: unknown): void => {
        asking.destroy()
        reject(
          new AgentError('unsupported', `cannot ask the agent (pid ${pid}, ${socket}): ${reason}`, { cause }),
        )
      }
      asking.on('timeout', () => fail(`no answer within ${TIMEOUT_MS / 1000} s; is it stopped?`))
      asking.on('error', (cause: NodeJS.ErrnoException) => {
        if (cause.code !== 'EACCES' && cause.code !== 'EPERM') return fail(cause.message, cause)
        const message = `cannot open ${socket}: permission denied; run this command as the user of the agent (sudo)`
        reject(new AgentError('not_permitted', message, { cause }))
      })
      asking.on('response', (response) => {
        const parts: Buffer[] = []
        let length = 0
        response.on('error', (cause) => fail(cause.message, cause))
        response.on('data', (part: Buffer) => {
          length += part.length
          if (length > MAX_BYTES) fail(`its answer is longer than ${MAX_BYTES} bytes`)
          else parts.push(part)
        })
        response.on('end', () => {
          const { statusCode } = response
          if (statusCode === 404) resolve(Buffer.alloc(0))
          else if (statusCode !== 200) fail(`it answers ${statusCode}`)
          else resolve(Buffer.concat(parts))
        })
      })
      asking.end()
    })
  }
}
