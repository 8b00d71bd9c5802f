/**
 * The promises of the statistics, checked by drawing samples whose truth is known. `npm run bench:stats` does the same at
 * length. The seeds are fixed, so a failure is a change of ours.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diffTree, wholeSide } from '../../../src/model/diff-tree.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { rateDifference, rateRatio, shareDifference } from '../../../src/stats/compare.ts'
import {
  type DiffScale,
  type DiffTable,
  diffTable,
  isSignificant,
  VERDICTS,
} from '../../../src/stats/diff-table.ts'
import { wilson } from '../../../src/stats/interval.ts'
import { binomialPoints, HANDFULS, meanCoverage, poissonPoints } from '../../helpers/coverage.ts'
import {
  drawing,
  drawingFrom,
  heavyTailedStacks,
  trueShare,
  withShareRaised,
} from '../../helpers/random-profiles.ts'

const DRAWS = 20_000

/** In how many of a hundred draws the interval holds the truth. */
function coverage(truth: number, interval: () => { low: number; high: number }): number {
  let covered = 0
  for (let i = 0; i < DRAWS; i++) {
    const { low, high } = interval()
    if (low <= truth && truth <= high) covered++
  }
  return (100 * covered) / DRAWS
}

function assertHonest(percent: number, expectedCount: number, what: string): void {
  // A handful of samples takes too few values for exactly 95: no interval of whole numbers can do better than this.
  const [low, high] = expectedCount >= 20 ? [94, 96] : [91.5, 100]
  assert.ok(percent >= low && percent <= high, `${what}: ${percent} %`)
}

test('95 of 100 intervals hold the true share, of any size and from any number of samples', () => {
  let seed = 1
  for (const samples of [500, 2000, 20_000]) {
    for (const share of [0.002, 0.01, 0.05, 0.2, 0.5, 0.8, 0.99]) {
      const draw = drawingFrom(binomialPoints(samples, share), seed++)
      const percent = coverage(share, () => wilson(draw(), samples))
      assertHonest(percent, samples * Math.min(share, 1 - share), `${share} of ${samples}`)
    }
  }
})

test('of a handful of samples too it is 95 of 100, over the shares that may be behind them', () => {
  for (const { samples, from, to } of HANDFULS) {
    const percent = 100 * meanCoverage((count) => wilson(count, samples), samples, { from, to })
    assert.ok(percent >= 94 && percent <= 96, `${from} to ${to} expected of ${samples}: ${percent} %`)
  }
})

test('95 of 100 intervals hold the true difference of two shares', () => {
  let seed = 100
  for (const [before, after] of [
    [500, 500],
    [2000, 3000],
    [20_000, 5000],
  ] as const) {
    for (const share of [0.002, 0.01, 0.05, 0.2, 0.5, 0.8]) {
      for (const change of [0, 0.03]) {
        const [a, b] = [
          drawingFrom(binomialPoints(before, share), seed++),
          drawingFrom(binomialPoints(after, share + change), seed++),
        ]
        const percent = coverage(change, () =>
          shareDifference({ before: a(), after: b() }, { before, after }),
        )
        const expected = Math.min(before, after) * Math.min(share, 1 - share - change)
        assertHonest(percent, expected, `${share} of ${before} -> +${change} of ${after}`)
      }
    }
  }
})

test('95 of 100 intervals hold the true difference and ratio of two rates', () => {
  let seed = 300
  const exposure = { before: 10, after: 30 }
  for (const mean of [8, 60, 1000]) {
    const [a, b] = [drawingFrom(poissonPoints(mean), seed++), drawingFrom(poissonPoints(4 * mean), seed++)]
    const counts = () => ({ before: a(), after: b() })
    const truth = (4 * mean) / 30 - mean / 10
    assertHonest(
      coverage(truth, () => rateDifference(counts(), exposure)),
      mean,
      `difference at ${mean}`,
    )
    assertHonest(
      coverage(4 / 3, () => rateRatio(counts(), exposure)),
      mean,
      `ratio at ${mean}`,
    )
  }
})

const PROGRAM = heavyTailedStacks(300, 1200, 7)

function tableOf(before: Profile, after: Profile, scale: DiffScale): DiffTable {
  return diffTable(diffTree(wholeSide(before, 1), wholeSide(after, 1)), scale)
}

for (const [scale, before, after] of [
  ['relative', 1000, 1000],
  ['relative', 400, 3000],
  ['absolute', 1000, 1000],
] as const) {
  test(`of samples of one program (${before} and ${after}), at most 5 % show any change (${scale})`, () => {
    const runs = 200
    const draw = drawing(PROGRAM, before + after)
    let alarms = 0
    for (let run = 0; run < runs; run++) {
      const table = tableOf(draw(before), draw(after), scale)
      assert.ok(table.tests > 300, 'self and total of hundreds of functions are tested')
      if (table.verdict.some(isSignificant)) alarms++
    }
    assert.ok(alarms <= 0.05 * runs, `${alarms} of ${runs}`)
  })
}

test('a function that takes 3 points more is found in most diffs of 2000 samples each', () => {
  const names = [...new Set(PROGRAM.stacks.flat())].filter((name) => {
    const share = trueShare(PROGRAM, name)
    return share > 0.01 && share < 0.05
  })
  assert.ok(names.length > 10)
  let found = 0
  const runs = 60
  const draw = drawing(PROGRAM, 5)
  for (let run = 0; run < runs; run++) {
    const name = names[run % names.length]!
    const changed = drawing(withShareRaised(PROGRAM, name, 0.03), 1000 + run)
    const table = tableOf(draw(2000), changed(2000), 'relative')
    const fn = table.functions.name.indexOf(name)
    const verdict = VERDICTS[table.total.verdict[fn]!]!
    assert.ok(verdict === 'grew' || verdict === 'noise', `${name}: ${verdict}`)
    if (verdict === 'grew') found++
  }
  assert.ok(found > 0.6 * runs, `${found} of ${runs}`)
})
