/** What the exporter knows about itself. Counters are since `open`, in samples unless named otherwise. */

/** Why samples were given up: an HTTP or gRPC status (`http_400`, `grpc_INTERNAL`), or one of ours below. */
export type DropReason = string

/** Reasons of ours; the rest are statuses of the receiver. */
export const DROP_REASONS = {
  queue_full: 'oldest of the queue, at its size cap',
  disk_full: 'oldest, when the disk was full and the memory budget used up',
  disk_unwritable: 'oldest, when the directory could not be written and the memory budget was used up',
  disk_stalled: 'newest, when a write to the disk did not end and the memory budget was used up',
  corrupt: 'damaged or unreadable in the queue',
  too_large: 'a request larger than the whole queue',
  undecodable: 'could not be transcoded for the destination',
  response_too_large: 'the answer was over 4 MiB (P-24)',
  max_elapsed: 'failed for longer than retry.maxElapsedMs (E-04)',
  retry_disabled: 'failed once, and retrying is off (E-02)',
  shutdown: 'in memory only when the agent ended',
} as const

/**
 * One destination. At every moment:
 * restoredSamples + acceptedSamples = sentSamples + the sum of `dropped` + queueSamples.
 */
export interface DestinationStats {
  readonly name: string
  /** Without user info, query and headers. */
  readonly endpoint: string
  /** In the queue when the destination began. */
  readonly restoredSamples: number
  readonly acceptedSamples: number
  readonly sentSamples: number
  readonly sentRequests: number
  /** Attempts repeated, by reason of the failure. */
  readonly retried: Readonly<Record<string, number>>
  readonly dropped: Readonly<Record<DropReason, number>>
  readonly droppedRequests: Readonly<Record<DropReason, number>>
  /** Profiles (not samples) the receiver said it rejected in partial successes (P-25); they count as sent. */
  readonly partialRejectedProfiles: number
  readonly partialAnswers: number
  /** Successes whose body was no OTLP response. */
  readonly unreadableAnswers: number
  /** Waiting or in flight. */
  readonly queueSamples: number
  readonly queueRequests: number
  readonly queueBytes: number
  readonly inFlight: number
  /** Age of the oldest request not acknowledged; 0 when there is none. */
  readonly oldestAgeMs: number
  /** From enqueue to acknowledgement, of the last request sent. */
  readonly lagMs: number
  readonly lastError: string | null
  /** Wall clock, ms; 0 = never. */
  readonly lastErrorAtMs: number
  readonly lastSuccessAtMs: number
}

/** The queue, all destinations together. */
export interface QueueStats {
  /** Bytes of all segments on disk, and in memory while the disk fails. */
  readonly diskBytes: number
  readonly memoryBytes: number
  readonly segments: number
  readonly maxBytes: number
  /** False while new requests are kept in memory only. */
  readonly durable: boolean
  /** Ends of segments cut off by a crash, and what was not readable elsewhere. */
  readonly tornTails: number
  readonly corruptRecords: number
  readonly corruptBytes: number
  /** Failed operations by error code (`ENOSPC`). */
  readonly diskErrors: Readonly<Record<string, number>>
  readonly fsyncs: number
}

export interface ExporterStats {
  readonly acceptedSamples: number
  readonly acceptedRequests: number
  readonly queue: QueueStats
  readonly destinations: readonly DestinationStats[]
  /** What a human should know now (queue not durable, directory taken); null when all is well. */
  readonly note: string | null
}
