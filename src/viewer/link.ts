/**
 * The page's line to its worker. The worker's script lies in the page as a text and runs from a blob: a page of one file has no
 * other place to load it from.
 */
import { AgentError, type ErrorCode } from '../errors.ts'
import type { Answers, Request } from '../view/protocol.ts'
import type { Answered } from './worker.ts'

interface Waiting {
  resolve(answer: never): void
  reject(error: AgentError): void
}

/** Asks the worker; questions are answered in their order. Errors: AgentError with the worker's sentence. */
export class Link {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  /** `script` is the text of the worker's script. */
  constructor(script: string) {
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }))
    this.#worker = new Worker(url)
    this.#worker.onmessage = ({ data }: MessageEvent<Answered>) => this.#take(data)
    this.#worker.onerror = (event) => this.#fail(event.message || 'it could not be started')
  }

  ask<D extends Request['do']>(request: Extract<Request, { do: D }>): Promise<Answers[D]> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, request })
    })
  }

  #take(answered: Answered): void {
    const waiting = this.#waiting.get(answered.id)
    this.#waiting.delete(answered.id)
    if ('answer' in answered) waiting?.resolve(answered.answer as never)
    else waiting?.reject(new AgentError(answered.failure.code as ErrorCode, answered.failure.message))
  }

  /** A worker that died (out of memory, as a rule) answers nothing any more. */
  #fail(reason: string): void {
    const error = new AgentError('internal', `the page's worker has failed: ${reason}; load the page again`)
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
