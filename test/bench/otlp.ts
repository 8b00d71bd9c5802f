/**
 * Cost of the agent's export: a window of ten seconds -> OTLP requests, and back. `npm run bench:otlp`.
 *
 * A window of a busy host: 20 000 samples over 5 000 stacks 30 deep, 200 threads in 20 containers. The bar is 20 ms.
 */
import { performance } from 'node:perf_hooks'
import { gzipSync } from 'node:zlib'
import type { Profile } from '../../src/model/profile.ts'
import { decodeRequest } from '../../src/otlp/decode.ts'
import { encodeRequests } from '../../src/otlp/encode.ts'
import { toProfiles } from '../../src/otlp/to-profiles.ts'
import { largeProfile, randomNumbers } from '../helpers/sample-profile.ts'

const THREADS = 200
const CONTAINERS = 20
const RUNS = 40
const PERIOD_NS = 52_631_579

function windowOf(samples: number, leaves: number): Profile {
  const random = randomNumbers(5)
  const base = largeProfile(4 * leaves)
  const nodes = base.stacks.parent.length
  const leaf = Array.from({ length: leaves }, () => Math.floor(random() * nodes))
  const pick = (below: number) => Math.floor(below * random() ** 2)
  return {
    ...base,
    period: BigInt(PERIOD_NS),
    samples: {
      stack: Int32Array.from({ length: samples }, () => leaf[pick(leaves)]!),
      labelSet: Int32Array.from({ length: samples }, () => pick(THREADS)),
      timeNs: Float64Array.from({ length: samples }, (_, i) => Math.floor((i / samples) * 1e10)),
      values: [new Float64Array(samples).fill(1), new Float64Array(samples).fill(PERIOD_NS)],
    },
    labelSets: Array.from({ length: THREADS }, (_, i) => [
      { key: 'pid', num: 1000 + (i >> 2) },
      { key: 'tid', num: 5000 + i },
      { key: 'comm', str: `service-${i >> 2}` },
      { key: 'thread', str: `worker-${i & 3}` },
    ]),
    origins: { processes: [], ofLabelSet: new Int32Array(THREADS) },
  }
}

const split = {
  resources: Array.from({ length: CONTAINERS }, (_, i) => ({
    'service.name': `service-${i}`,
    'container.id': i.toString(16).padStart(64, '0'),
    'k8s.pod.name': `service-${i}-7f8c9d-abcde`,
    'k8s.namespace.name': 'shop',
    'host.name': 'node-1',
  })),
  ofLabelSet: Int32Array.from({ length: THREADS }, (_, i) => i % CONTAINERS),
}
const scope = { name: 'emberscope', version: '0.1.0' }

function timesOf<T>(run: () => T): { best: number; median: number; worst: number; result: T } {
  const times: number[] = []
  let result = run()
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    result = run()
    times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return { best: times[0]!, median: times[RUNS >> 1]!, worst: times.at(-1)!, result }
}

for (const [samples, leaves] of [
  [2_000, 800],
  [20_000, 5_000],
] as const) {
  const profile = windowOf(samples, leaves)
  const encode = timesOf(() => encodeRequests(profile, split, scope, 3_500_000))
  const bytes = encode.result.reduce((sum, request) => sum + request.bytes.length, 0)
  const packed = encode.result.reduce((sum, request) => sum + gzipSync(request.bytes).length, 0)
  const decode = timesOf(() => encode.result.map((request) => toProfiles(decodeRequest(request.bytes))))
  const text = ({ best, median, worst }: Record<'best' | 'median' | 'worst', number>) =>
    `${median.toFixed(2)} ms (best ${best.toFixed(2)}, worst ${worst.toFixed(2)})`
  console.log(
    `${samples} samples, ${leaves} stacks: ${encode.result.length} requests, ${bytes} bytes (${packed} gzip)\n` +
      `  encode ${text(encode)}   decode ${text(decode)}   [bar: encode 20 ms]`,
  )
}
