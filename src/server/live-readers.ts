/**
 * Browsers that follow the agent by server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html):
 * a bounded number, each with a bounded backlog. An event is a summary of a hundred bytes; the data is fetched apart.
 */
import type { ServerResponse } from 'node:http'

export const MAX_READERS = 16
/** A reader this far behind what the kernel's buffers hold is gone or stuck. */
const MAX_BACKLOG_BYTES = 16_384
const KEEP_ALIVE_MS = 30_000
/** When a browser that lost us tries again. */
const RETRY_MS = 3000

export interface LiveReaderStats {
  readonly readers: number
  readonly refused: number
  /** Dropped because they did not read. */
  readonly slow: number
}

/** The open event streams. */
export class LiveReaders {
  readonly #open = new Set<ServerResponse>()
  #refused = 0
  #slow = 0

  /** Starts a stream; false when there are too many already, and the response is untouched. */
  add(response: ServerResponse): boolean {
    if (this.#open.size >= MAX_READERS) {
      this.#refused++
      return false
    }
    this.#open.add(response)
    response.on('close', () => this.#open.delete(response))
    // A reader whose machine went away never answers; TCP finds out.
    response.socket?.setKeepAlive(true, KEEP_ALIVE_MS)
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
    response.write(`retry: ${RETRY_MS}\n\n`)
    return true
  }

  /** Sends an event to all. `data` is one line of JSON. */
  send(event: string, id: number, data: string): void {
    const text = `id: ${id}\nevent: ${event}\ndata: ${data}\n\n`
    for (const response of this.#open) {
      if (response.writableLength > MAX_BACKLOG_BYTES) {
        this.#slow++
        this.#open.delete(response)
        response.destroy()
      } else response.write(text)
    }
  }

  stats(): LiveReaderStats {
    return { readers: this.#open.size, refused: this.#refused, slow: this.#slow }
  }

  close(): void {
    for (const response of this.#open) response.end()
    this.#open.clear()
  }
}
