/**
 * Runs the encoder on next to nothing, so that the engine has compiled it when the first window of a busy host comes:
 * the first call takes five times as long as the fifth.
 */
import type { Profile } from '../model/profile.ts'
import { encodeRequests } from './encode.ts'

const SAMPLES = 32

/** One small turn of about a millisecond. Some forty of them, between other work, are enough. */
export function warmUpEncoder(): void {
  const profile = smallProfile()
  const split = {
    resources: [{ 'service.name': 'warm-up', 'process.pid': 1 }, { 'container.id': 'warm-up' }],
    ofLabelSet: Int32Array.from(profile.labelSets, (_, i) => i & 1),
  }
  encodeRequests(profile, split, { name: 'warm-up', version: '0' }, 1 << 20)
}

function smallProfile(): Profile {
  const ints = (value: (i: number) => number) => Int32Array.from({ length: SAMPLES }, (_, i) => value(i))
  const cpu = { type: 'cpu', unit: 'nanoseconds' }
  const fileName = '/usr/lib/libwarm-up.so'
  const has = { hasFunctions: true, hasFilenames: true, hasLineNumbers: true, hasInlineFrames: true }
  return {
    sampleTypes: [{ type: 'samples', unit: 'count' }, cpu],
    defaultSampleType: 1,
    periodType: cpu,
    period: 1n,
    timeNs: 1n,
    durationNs: BigInt(SAMPLES),
    mappings: [{ start: 0x1000n, limit: 0x9000n, fileOffset: 0n, fileName, buildId: 'abcdef01', ...has }],
    functions: Array.from({ length: SAMPLES }, (_, i) => {
      return { name: `function ${i}`, systemName: `_Z${i}`, fileName: `src/file-${i >> 2}.cc`, startLine: i }
    }),
    locations: Array.from({ length: SAMPLES }, (_, i) => {
      const lines = [{ function: i, line: i, column: 1 }]
      return { mapping: 0, address: BigInt(i), lines, isFolded: false, kind: 'native', unnamedReason: '' }
    }),
    stacks: { parent: ints((i) => (i >> 1) - 1), location: ints((i) => i) },
    samples: {
      stack: ints((i) => i),
      labelSet: ints((i) => i & 3),
      timeNs: Float64Array.from({ length: SAMPLES }, (_, i) => i),
      values: [new Float64Array(SAMPLES).fill(1), new Float64Array(SAMPLES).fill(1)],
    },
    labelSets: Array.from({ length: 4 }, (_, i) => [
      { key: 'pid', num: 1 },
      { key: 'tid', num: i },
      { key: 'comm', str: 'warm-up' },
      { key: 'thread', str: `thread ${i}` },
    ]),
    comments: [],
    dropFrames: '',
    keepFrames: '',
    docUrl: '',
    capture: null,
    origins: { processes: [], ofLabelSet: new Int32Array(4) },
  }
}
