/**
 * The windows of the agent that serves this page: which there are, and which have been fetched. A window is fetched once and
 * handed to the worker, which merges; watching costs the agent next to nothing.
 */
import { AgentError } from '../../errors.ts'
import type { Opened } from '../../view/protocol.ts'
import type { Ask } from '../session.ts'

/** A window as the agent lists it. */
export interface ListedWindow {
  readonly id: number
  /** Unix milliseconds. */
  readonly startMs: number
  readonly endMs: number
  readonly samples: number
}

/** Windows in flight at a time: a browser opens no more connections to one host. */
const PARALLEL = 4

/** Talks to the agent below the page's own address. */
export class AgentSource {
  readonly #ask: Ask
  #windows: readonly ListedWindow[] = []
  /** Windows the worker has. */
  readonly #there = new Set<number>()

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** Oldest first, as of the last `refresh`. */
  get windows(): readonly ListedWindow[] {
    return this.#windows
  }

  /** Asks for the list. Errors: AgentError when the agent is gone or knows us no longer. */
  async refresh(): Promise<void> {
    const answer = (await (await askAgent('windows')).json()) as { windows?: unknown }
    this.#windows = Array.isArray(answer.windows) ? answer.windows.map(readWindow) : []
    const here = new Set(this.#windows.map(({ id }) => id))
    for (const id of this.#there) if (!here.has(id)) this.#there.delete(id)
  }

  /**
   * Has the worker show the windows that overlap a time, merged; null when there is none. Windows that are dropped meanwhile
   * are left out.
   */
  async show(fromMs: number, toMs: number): Promise<{ opened: Opened; windows: ListedWindow[] } | null> {
    const wanted = this.#windows.filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs)
    await this.#fetchAll(wanted.filter(({ id }) => !this.#there.has(id)))
    const windows = wanted.filter(({ id }) => this.#there.has(id))
    if (windows.length === 0) return null
    const ids = windows.map(({ id }) => id)
    const opened = await this.#ask({ do: 'windows', ids, keep: [...this.#there] })
    return { opened, windows }
  }

  async #fetchAll(windows: readonly ListedWindow[]): Promise<void> {
    const rest = [...windows]
    const work = async (): Promise<void> => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) await this.#fetch(next.id)
    }
    await Promise.all(Array.from({ length: PARALLEL }, work))
  }

  async #fetch(id: number): Promise<void> {
    const response = await fetch(`window/${id}`)
    // Its minutes were over between the list and now.
    if (response.status === 404) return
    if (!response.ok) throw refused(response.status)
    const bytes = new Uint8Array(await response.arrayBuffer())
    await this.#ask({ do: 'window', id, bytes })
    this.#there.add(id)
  }
}

async function askAgent(place: string): Promise<Response> {
  const response = await fetch(place)
  if (!response.ok) throw refused(response.status)
  return response
}

function refused(status: number): AgentError {
  const reason =
    status === 404
      ? 'it was started anew; open the URL that it prints now'
      : `it answers ${status}; try again`
  return new AgentError('unsupported', `the agent does not answer: ${reason}`)
}

function readWindow(row: unknown): ListedWindow {
  const { id, time, durationMs, samples } = row as Record<string, unknown>
  const startMs = Date.parse(String(time))
  return { id: Number(id), startMs, endMs: startMs + Number(durationMs), samples: Number(samples) }
}
