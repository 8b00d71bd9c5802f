/**
 * What files cost at the size of a long capture of a large program: 1 M stack nodes, 500 000 samples of some 90 frames
 * each, shared by nobody (the worst case). Prints CPU time and size; compares with nothing, asserts nothing.
 */
import { FoldedReader, writeFolded } from '../../src/formats/folded.ts'
import { readProfileJson, writeProfileJson } from '../../src/formats/profile-json.ts'
import { writeSpeedscope } from '../../src/formats/speedscope.ts'
import type { Location, Profile } from '../../src/model/profile.ts'
import { topFunctions } from '../../src/model/top.ts'
import { decodePprof } from '../../src/pprof/decode.ts'
import { encodePprof } from '../../src/pprof/encode.ts'

const NODES = 1_000_000
const ROWS = 500_000
const LOCATIONS = 20_000
const FUNCTIONS = 10_000

/** The same numbers every time. */
let state = 1
function random(below: number): number {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0
  return (state >>> 8) % below
}

function location(index: number): Location {
  const lines = Array.from({ length: index % 4 === 0 ? 2 : 1 }, () => ({
    function: random(FUNCTIONS),
    line: index,
    column: 0,
  }))
  const address = BigInt(0x400000 + index * 16)
  return { mapping: 0, address, lines, isFolded: false, kind: 'native', unnamedReason: '' }
}

function largeProfile(): Profile {
  const parent = new Int32Array(NODES)
  for (let node = 0; node < NODES; node++) parent[node] = node < 50 ? -1 : node % 20 ? node - 1 : random(node)
  const flags = { hasFunctions: true, hasFilenames: true, hasLineNumbers: true, hasInlineFrames: true }
  return {
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 1,
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_101_010n,
    timeNs: 0n,
    durationNs: 0n,
    mappings: [{ ...flags, start: 0n, limit: 1n << 40n, fileOffset: 0n, fileName: '/bin/x', buildId: '' }],
    functions: Array.from({ length: FUNCTIONS }, (_, index) => ({
      name: `space::function_${index}`,
      systemName: `_ZN${index}`,
      fileName: `/src/file${index % 300}.cc`,
      startLine: index,
    })),
    locations: Array.from({ length: LOCATIONS }, (_, index) => location(index)),
    stacks: { parent, location: Int32Array.from(parent, () => random(LOCATIONS)) },
    samples: {
      stack: Int32Array.from({ length: ROWS }, () => random(NODES)),
      labelSet: new Int32Array(ROWS),
      timeNs: Float64Array.from({ length: ROWS }, (_, row) => row),
      values: [new Float64Array(ROWS).fill(1), new Float64Array(ROWS).fill(10_101_010)],
    },
    labelSets: [[{ key: 'pid', num: 1 }]],
    comments: [],
    dropFrames: '',
    keepFrames: '',
    docUrl: '',
    capture: null,
  }
}

function measure<T>(name: string, work: () => T, sizeOf: (result: T) => number): T {
  const start = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(start)
  const size = sizeOf(result)
  const shown = size > 0 ? `${(size / 1e6).toFixed(1).padStart(9)} MB` : ''
  console.log(`${name.padEnd(18)}${((user + system) / 1000).toFixed(0).padStart(7)} ms CPU${shown}`)
  return result
}

function lengthOf(pieces: Iterable<string>): number {
  let length = 0
  for (const piece of pieces) length += piece.length
  return length
}

const profile = largeProfile()
const none = () => 0
measure('top functions', () => topFunctions(profile, 0), none)
const bytes = measure(
  'pprof write',
  () => encodePprof(profile),
  (result) => result.length,
)
measure('pprof read', () => decodePprof(bytes), none)
measure(
  'folded write',
  () => lengthOf(writeFolded(profile)),
  (length) => length,
)
measure(
  'speedscope write',
  () => lengthOf(writeSpeedscope(profile)),
  (length) => length,
)
const json = measure(
  'JSON write',
  () => [...writeProfileJson(profile)].join(''),
  (text) => text.length,
)
measure('JSON read', () => readProfileJson(JSON.parse(json)), none)
measure(
  'folded read',
  () => {
    const reader = new FoldedReader()
    let left = 100e6
    for (const line of writeFolded(profile)) {
      if (left < 0) break
      reader.push(line)
      left -= line.length
    }
    return reader.finish()
  },
  () => 100e6,
)
