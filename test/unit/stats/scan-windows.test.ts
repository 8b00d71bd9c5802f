/** A window is offered where something happened, and hardly ever where nothing did. By simulation, with many kinds of "nothing". */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unusualWindow } from '../../../src/stats/scan-windows.ts'
import { randomNumbers } from '../../helpers/sample-profile.ts'

const BINS = 240
/** Steps of the simulated programs in a bin. */
const STEPS = 10
const RUNS = 150
const LEVEL = 0.02

type Random = () => number
/** Samples of a step; called with 0, 1, 2… */
type Program = (step: number) => number

function poisson(random: Random, mean: number): number {
  if (mean > 30) return poisson(random, mean / 2) + poisson(random, mean / 2)
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count++
  return count
}

function countsOf(program: Program): Float64Array {
  const counts = new Float64Array(BINS)
  for (let step = 0; step < BINS * STEPS; step++) counts[Math.floor(step / STEPS)]! += program(step)
  return counts
}

/** Each sample is in one of the parts, by chance. */
function partsOf(counts: Float64Array, random: Random): Float64Array[] {
  const parts = [0.5, 0.25, 0.125, 0.125].map(() => new Float64Array(BINS))
  for (let b = 0; b < BINS; b++)
    for (let i = 0; i < counts[b]!; i++) parts[Math.min(3, Math.floor(-Math.log2(1 - random())))]![b]!++
  return parts
}

/** Works and rests for times that have no memory; a period is a mean length in steps. */
function comesAndGoes(random: Random, period: number, samples: number): Program {
  let works = random() < 0.5
  return () => {
    if (random() < 1 / period) works = !works
    return works ? poisson(random, samples) : 0
  }
}

/** Each of `every` steps, `length` of them with more samples. */
function recurs(random: Random, every: number, length: number, samples: number): Program {
  const phase = Math.floor(random() * every)
  return (step) => poisson(random, (step + phase) % every < length ? samples * 3 : samples)
}

const NOTHING: Record<string, (random: Random) => Program> = {
  'a few samples': (random) => () => poisson(random, 40 / BINS / STEPS),
  'independent samples': (random) => () => poisson(random, 0.33),
  'one busy thread': () => (step) => Math.floor((step + 1) * 0.4125) - Math.floor(step * 0.4125),
  '64 busy threads': () => (step) => 64 * (Math.floor((step + 1) * 0.4125) - Math.floor(step * 0.4125)),
  'a program that comes and goes every 50 ms': (random) => comesAndGoes(random, 12, 0.8),
  'a program that comes and goes every 200 ms': (random) => comesAndGoes(random, 48, 0.8),
  '50 threads that come and go together': (random) => comesAndGoes(random, 48, 20),
  'a collector every second': (random) => recurs(random, 240, 24, 0.4),
  'a collector every other second': (random) => recurs(random, 480, 48, 0.4),
}

for (const [what, programOf] of Object.entries(NOTHING)) {
  test(`${what}: a window in at most 5 % of the runs`, () => {
    const random = randomNumbers(2026)
    let offered = 0
    for (let run = 0; run < RUNS; run++) {
      const counts = countsOf(programOf(random))
      if (unusualWindow(counts, partsOf(counts, random), LEVEL) !== null) offered++
    }
    assert.ok(offered <= RUNS * 0.05, `${offered} of ${RUNS}`)
  })
}

const PLANTED: Record<string, { program: (random: Random) => Program; length: number; perBin: number }> = {
  'a burst of a tenth of a second': { program: NOTHING['independent samples']!, length: 3, perBin: 25 },
  'a quarter of the time with twice the samples': {
    program: NOTHING['independent samples']!,
    length: 60,
    perBin: 3.3,
  },
  'a second of load on a program that comes and goes': {
    program: NOTHING['a program that comes and goes every 50 ms']!,
    length: 24,
    perBin: 20,
  },
  'a burst that is no collection': {
    program: NOTHING['a collector every second']!,
    length: 24,
    perBin: 24,
  },
}

for (const [what, { program, length, perBin }] of Object.entries(PLANTED)) {
  test(`${what} is found, its edges within two bins`, () => {
    const random = randomNumbers(7)
    let [found, off] = [0, 0]
    for (let run = 0; run < 60; run++) {
      const counts = countsOf(program(random))
      const from = 20 + Math.floor(random() * 150)
      for (let b = from; b < from + length; b++) counts[b]! += poisson(random, perBin)
      const window = unusualWindow(counts, [], LEVEL)
      if (window === null) continue
      found++
      off += Math.abs(window.from - from) + Math.abs(window.to - from - length)
    }
    assert.ok(found >= 57, `${found} of 60`)
    assert.ok(off / found / 2 <= 2, `edges are ${off / found / 2} bins off`)
  })
}

test('the same samples in another function are found by its share', () => {
  const random = randomNumbers(3)
  let off = 0
  for (let run = 0; run < 30; run++) {
    const counts = countsOf(NOTHING['one busy thread']!(random))
    const part = counts.map(
      (count, b) =>
        Array.from({ length: count }, random).filter((at) => at < (b >= 100 && b < 130 ? 0.6 : 0.1)).length,
    )
    const window = unusualWindow(counts, [part], LEVEL)!
    off += Math.abs(window.from - 100) + Math.abs(window.to - 130)
  }
  assert.ok(off / 60 <= 2, `edges are ${off / 60} bins off`)
})

test('a gap is unusual, a series without samples or of a few bins is not', () => {
  const gap = new Float64Array(BINS).fill(4).fill(0, 50, 80)
  assert.deepEqual(unusualWindow(gap, [], LEVEL), { from: 50, to: 80 })
  assert.equal(unusualWindow(new Float64Array(BINS), [new Float64Array(BINS)], LEVEL), null)
  assert.equal(unusualWindow(new Float64Array(3).fill(9), [], LEVEL), null)
  assert.equal(unusualWindow(new Float64Array(0), [], LEVEL), null)
})

test('all samples in one place are a window around it', () => {
  const counts = new Float64Array(BINS)
  counts[77] = 1000
  const window = unusualWindow(counts, [counts], LEVEL)!
  assert.ok(window.from <= 77 && window.to >= 78, JSON.stringify(window))
})
