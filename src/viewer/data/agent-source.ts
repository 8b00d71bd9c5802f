/**
 * The windows of the agent that serves this page: which there are, which have been fetched, and those of a time merged.
 * A window is fetched once; the merging is done here, so that watching costs the agent next to nothing.
 */
import { AgentError } from '../../errors.ts'
import { decodeWindow } from '../../formats/packed-window.ts'
import { ProfileMerger } from '../../model/merge-profiles.ts'
import type { Profile } from '../../model/profile.ts'
import { unzip } from './load.ts'

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
/** Between looks at the screen while merging. */
const SLICE_MS = 12
/** Windows unpack to about this many times their size. */
const USUAL_RATIO = 4

/** Talks to the agent below the page's own address. */
export class AgentSource {
  #windows: readonly ListedWindow[] = []
  readonly #profiles = new Map<number, Profile>()

  /** Oldest first, as of the last `refresh`. */
  get windows(): readonly ListedWindow[] {
    return this.#windows
  }

  /** Asks for the list. Errors: AgentError when the agent is gone or knows us no longer. */
  async refresh(): Promise<void> {
    const answer = (await (await ask('windows')).json()) as { windows?: unknown }
    this.#windows = Array.isArray(answer.windows) ? answer.windows.map(readWindow) : []
    const here = new Set(this.#windows.map(({ id }) => id))
    for (const id of this.#profiles.keys()) if (!here.has(id)) this.#profiles.delete(id)
  }

  /** The windows that overlap a time, merged; null when there is none. Windows that are dropped meanwhile are left out. */
  async merge(fromMs: number, toMs: number): Promise<{ profile: Profile; windows: ListedWindow[] } | null> {
    const wanted = this.#windows.filter(({ startMs, endMs }) => startMs < toMs && endMs > fromMs)
    await this.#fetchAll(wanted.filter(({ id }) => !this.#profiles.has(id)))
    const merger = new ProfileMerger()
    const windows: ListedWindow[] = []
    let sliceAt = performance.now()
    for (const window of wanted) {
      const profile = this.#profiles.get(window.id)
      if (profile === undefined) continue
      merger.add(profile)
      windows.push(window)
      if (performance.now() - sliceAt < SLICE_MS) continue
      await new Promise((done) => setTimeout(done, 0))
      sliceAt = performance.now()
    }
    const profile = merger.finish()
    return profile === null ? null : { profile, windows }
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
    this.#profiles.set(id, decodeWindow(await unzip(bytes, 'deflate', bytes.length * USUAL_RATIO)))
  }
}

async function ask(place: string): Promise<Response> {
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
