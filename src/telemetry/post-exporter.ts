/** An exporter as every signal of the SDK wants one: serialize, post, count, tell the log. */
import type { Log } from '../log/log.ts'
import type { Post, Signal } from './options.ts'

/** ExportResultCode of @opentelemetry/core, whose module we need not load for two numbers. */
const SUCCESS = 0
const FAILED = 1

export interface ExportCounts {
  ok: number
  failed: number
}

interface Parts<Items> {
  readonly signal: Signal
  readonly serialize: (items: Items) => Uint8Array | undefined
  readonly post: Post
  readonly log: Log
}

export class PostExporter<Items> {
  readonly #parts: Parts<Items>
  readonly #running = new Set<Promise<void>>()
  readonly counts: ExportCounts = { ok: 0, failed: 0 }

  constructor(parts: Parts<Items>) {
    this.#parts = parts
  }

  /** Never throws and never rejects: the outcome is `done`'s, our counters' and the log's. */
  export(items: Items, done: (result: { code: number; error?: Error }) => void): void {
    const sending = this.#send(items).then(done)
    this.#running.add(sending)
    void sending.finally(() => this.#running.delete(sending))
  }

  async forceFlush(): Promise<void> {
    await Promise.all(this.#running)
  }

  shutdown(): Promise<void> {
    return this.forceFlush()
  }

  async #send(items: Items): Promise<{ code: number; error?: Error }> {
    const { signal, serialize, post, log } = this.#parts
    try {
      const body = serialize(items)
      if (body !== undefined) await post(signal, body)
      this.counts.ok++
      return { code: SUCCESS }
    } catch (fault) {
      const error = fault instanceof Error ? fault : new Error(String(fault))
      this.counts.failed++
      log.warn("cannot send the agent's own telemetry", { signal, error })
      return { code: FAILED, error }
    }
  }
}
