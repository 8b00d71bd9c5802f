/** The exporter: one disk queue, several destinations. */
import type { ExporterOptions } from './options.ts'
import type { ExporterStats } from './stats.ts'

/** A request of profiles, ready for the wire; structurally what src/otlp/encode.ts gives. */
export interface EncodedRequest {
  readonly bytes: Uint8Array
  readonly samples: number
}

/** See the contract; the body follows. */
export class Exporter {
  readonly #options: ExporterOptions
  constructor(options: ExporterOptions) {
    this.#options = options
  }
  async open(): Promise<void> {}
  async enqueue(_requests: readonly EncodedRequest[]): Promise<void> {}
  stats(): ExporterStats {
    throw new Error(`not yet: ${this.#options.version}`)
  }
  async reload(_options: ExporterOptions): Promise<void> {}
  async close(_deadlineMs: number): Promise<void> {}
}
