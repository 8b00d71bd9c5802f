/**
 * The page's other half, in a worker: opens what the page sends it and answers its questions (src/view/engine.ts). One question at a
 * time, in their order.
 */
import { AgentError } from '../errors.ts'
import { decodePacked } from '../formats/packed.ts'
import { decodeWindow } from '../formats/packed-window.ts'
import { readBlob } from '../formats/read-blob.ts'
import { ProfileMerger } from '../model/merge-profiles.ts'
import type { Profile } from '../model/profile.ts'
import { Engine } from '../view/engine.ts'
import type { Answers, Failure, Opened, Request } from '../view/protocol.ts'
import { spareColumns } from '../view/spare-columns.ts'
import { unzip } from './data/unzip.ts'
import { exportProfile } from './export-profile.ts'

/** What goes over the wire: a question with its number, and the answer or the failure under the same. */
export interface Asked {
  readonly id: number
  readonly request: Request
}
export type Answered =
  | { readonly id: number; readonly answer: Answers[Request['do']] }
  | { readonly id: number; readonly failure: Failure }

/** The side of a worker that this file needs. */
interface Scope {
  onmessage: ((event: MessageEvent<Asked>) => void) | null
  postMessage(message: Answered): void
}

/**
 * Without a question for that long the worker makes ready for the next: in small steps, so that one that comes need not wait, and
 * not before the page has drawn, which wants all of the processor.
 */
const REST_MS = 250
const PREPARE_PAUSE_MS = 5

/** Windows unpack to about this many times their size. */
const USUAL_RATIO = 4

/** Answers in a worker's scope for as long as it lives. */
export function startWorker(scope: Scope): void {
  const desk = new Desk()
  let turn = Promise.resolve()
  let rest: ReturnType<typeof setTimeout> | undefined
  const prepare = (): void => {
    if (spareColumns.prepare()) rest = setTimeout(prepare, PREPARE_PAUSE_MS)
  }
  scope.onmessage = ({ data: { id, request } }) => {
    clearTimeout(rest)
    turn = turn.then(async () => {
      try {
        scope.postMessage({ id, answer: await desk.answer(request) })
      } catch (error) {
        scope.postMessage({ id, failure: failureOf(error) })
      }
      clearTimeout(rest)
      rest = setTimeout(prepare, REST_MS)
    })
  }
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  return { message, code: error instanceof AgentError ? error.code : 'internal' }
}

/** The engine with what opens and closes profiles around it. */
export class Desk {
  readonly #engine = new Engine()
  readonly #windows = new Map<number, Profile>()

  /** Answers one question. Errors: AgentError for what cannot be read, found or compared. */
  async answer(request: Request): Promise<Answers[Request['do']]> {
    const engine = this.#engine
    switch (request.do) {
      case 'open':
        return await this.#open(request)
      case 'window':
        this.#windows.set(
          request.id,
          decodeWindow(await unzip(request.bytes, 'deflate', request.bytes.length * USUAL_RATIO)),
        )
        return null
      case 'windows':
        return this.#showWindows(request.ids, request.keep)
      case 'show':
        return engine.show(request.state, request.widthPx)
      case 'list':
        return engine.list(request.tableRows)
      case 'rows':
        return engine.rows(request.from, request.count)
      case 'place':
        return engine.place(request.index)
      case 'band':
        return engine.band(request.state, request.bins)
      case 'heat':
        return engine.heat(request.state, request.maxColumns)
      case 'labels':
        return engine.labels(request.key, request.part)
      case 'details':
        return engine.details(request.fn)
      case 'redacted':
        return engine.redactedNames(request.fns)
      case 'export':
        return await exportProfile(engine, request.format, request.redact)
    }
  }

  async #open({ bytes, name, role }: Extract<Request, { do: 'open' }>): Promise<Opened> {
    const profile = name === '' ? await unpacked(bytes) : await readBlob(bytes, name)
    return role === 'baseline' ? this.#engine.openBaseline(profile, name) : this.#engine.open(profile, name)
  }

  #showWindows(ids: readonly number[], keep: readonly number[]): Opened {
    const stay = new Set([...ids, ...keep])
    for (const id of this.#windows.keys()) if (!stay.has(id)) this.#windows.delete(id)
    const merger = new ProfileMerger()
    for (const id of ids) {
      const profile = this.#windows.get(id)
      if (profile !== undefined) merger.add(profile)
    }
    const merged = merger.finish()
    if (merged === null) throw new AgentError('no_samples', 'none of these windows is here any more')
    return this.#engine.open(merged, '')
  }
}

/** What a page embeds. */
async function unpacked(bytes: Blob): Promise<Profile> {
  const zipped = new Uint8Array(await bytes.arrayBuffer())
  return decodePacked(await unzip(zipped, 'gzip'))
}
