/**
 * One small captured profile with everything in it that a format may lose: inlining, all kinds, an unnamed frame, times,
 * labels of two threads, an empty stack. Its folded form is the golden of folded.test.ts.
 */
import type { CaptureReport, Location, Mapping, Profile } from '../../../src/model/profile.ts'

function mapping(fileName: string, start: bigint, limit: bigint): Mapping {
  return {
    start,
    limit,
    fileOffset: 0n,
    fileName,
    buildId: 'abc123',
    hasFunctions: true,
    hasFilenames: true,
    hasLineNumbers: true,
    hasInlineFrames: true,
  }
}

function location(
  at: number,
  address: bigint,
  functions: readonly number[],
  kind: Location['kind'],
): Location {
  const lines = functions.map((index) => ({ function: index, line: 10 + index, column: index }))
  const unnamedReason = lines.length === 0 ? 'no_symbols' : ''
  return { mapping: at, address, lines, isFolded: false, kind, unnamedReason }
}

const NAMES = ['main', 'outer', 'inlined', 'sys_read', 'hot;js', 'python_fn']

export const CAPTURE: CaptureReport = {
  target: { kind: 'pids', name: 'demo', pids: [42] },
  host: { name: 'box', kernel: '6.1.0', arch: 'x86_64', cpus: 2 },
  event: 'cpu-clock',
  rateHz: 99,
  durationNs: 2e9,
  samples: { captured: 8, kept: 7, dropped: { ring_full: 1 } },
  stacks: { complete: 6, approximate: 0, truncated: { no_row: 1 } },
  frames: { named: 14, unnamed: { no_symbols: 1 } },
  overhead: { bpfRuns: 32, bpfTimeNs: 9000, cpuNs: 1e7, rssBytes: 7e7 },
  timing: { startToFirstSampleNs: 2e8, lastSampleToFilesNs: 1e8 },
  notes: ['kernel names are hidden'],
}

/** Seven samples of two threads; rows 0 and 4 differ in time only. */
export function capturedProfile(): Profile {
  return {
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 1,
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_101_010n,
    timeNs: 1_790_000_000_123_456_789n,
    durationNs: 2_000_000_000n,
    mappings: [
      mapping('/usr/bin/demo', 0x400000n, 0x500000n),
      mapping('[kernel.kallsyms]', 0n, 0n),
      mapping('', 0x7f0000000000n, 0x7f0000100000n),
    ],
    functions: NAMES.map((name, index) => ({
      name,
      systemName: `_Z${name}`,
      fileName: index < 3 ? '/src/demo.c' : '',
      startLine: index < 3 ? 5 * (index + 1) : 0,
    })),
    locations: [
      location(0, 0x401000n, [0], 'native'),
      location(0, 0x402000n, [2, 1], 'native'),
      location(1, 0xffffffff81000010n, [3], 'kernel'),
      location(2, 0x7f0000000010n, [4], 'jit'),
      location(0, 0x403fffn, [], 'native'),
      location(0, 0x404000n, [5], 'interpreted'),
    ],
    stacks: {
      parent: Int32Array.of(-1, 0, 1, 0, 0, 5 - 1, 0),
      location: Int32Array.of(0, 1, 2, 3, 4, 0, 5),
    },
    samples: {
      stack: Int32Array.of(1, 2, 3, 4, 1, 5, -1),
      labelSet: Int32Array.of(0, 0, 1, 1, 0, 0, 1),
      timeNs: Float64Array.of(100, 200, 150, 400, 350, 600, 700),
      values: [new Float64Array(7).fill(1), new Float64Array(7).fill(10_101_010)],
    },
    labelSets: [
      [
        { key: 'pid', num: 42 },
        { key: 'tid', num: 42 },
        { key: 'comm', str: 'demo' },
      ],
      [
        { key: 'pid', num: 42 },
        { key: 'tid', num: 43, unit: 'id' },
        { key: 'thread', str: 'worker' },
      ],
    ],
    comments: ['host: box', 'kernel: 6.1.0'],
    dropFrames: '',
    keepFrames: '',
    docUrl: 'https://example.org',
    capture: CAPTURE,
  }
}
