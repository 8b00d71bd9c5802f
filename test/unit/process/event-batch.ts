/** Batches of process events, as the addon gives them, from a list of objects. */
import type { EventBatch } from '../../../src/native/sample-batch.ts'

/** In the addon's order (bpf/abi.h); a native test compares it with what the addon says. */
export const EVENT_KINDS = ['mmap', 'comm', 'exec', 'fork', 'exit', 'lost']

export interface Event {
  readonly kind: string
  readonly pid: number
  readonly timeNs: number
  /** The pid where it is left out: the process's first thread. */
  readonly tid?: number
  readonly extra?: number
  readonly start?: number
  readonly end?: number
  readonly fileOffset?: number
  readonly name?: string
  readonly buildId?: string
}

export function eventBatch(...events: Event[]): EventBatch {
  return {
    kind: Uint8Array.from(events, (event) => EVENT_KINDS.indexOf(event.kind)),
    pid: Int32Array.from(events, (event) => event.pid),
    tid: Int32Array.from(events, (event) => event.tid ?? event.pid),
    extra: Int32Array.from(events, (event) => event.extra ?? 0),
    timeNs: Float64Array.from(events, (event) => event.timeNs),
    start: Float64Array.from(events, (event) => event.start ?? 0),
    end: Float64Array.from(events, (event) => event.end ?? 0),
    fileOffset: Float64Array.from(events, (event) => event.fileOffset ?? 0),
    name: events.map((event) => event.name ?? ''),
    buildId: events.map((event) => event.buildId ?? ''),
  }
}
