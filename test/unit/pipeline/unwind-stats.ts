/** Figures of an unwinder that had little to do, for tests. */
import type { UnwindStats } from '../../../src/native/sampler.ts'

export const UNWIND_STATS: UnwindStats = {
  tracker: { processes: 2, files: 5, unreadableFiles: 0, published: 3, rescans: 0, lostEvents: 0 },
  tables: {
    mapBytes: 3_000_000,
    bytes: 50_000,
    bytesMax: 60_000,
    shardBytes: 1_048_576,
    pages: 9,
    evicted: 0,
    refused: 0,
    rules: 120,
    mappingTables: 3,
  },
  loader: { parsed: 7, fromCache: 2, failed: 0, refused: 0, written: 0, notWritten: 0, bytes: 10_000 },
  raw: { finished: 12, parked: 0, parkedBytes: 0, unmatched: 0, overflowed: 0 },
  note: '',
}
