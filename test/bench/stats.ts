/**
 * Do the statistics keep their word? `npm run bench:stats`: simulations at length; test/unit/stats has them short.
 *
 * Coverage of the 95 % intervals over a grid of shares and sizes; how often a diff of two samples of one distribution
 * calls anything changed (at most 5 %); how often a real change of 3 points is found.
 */
import { performance } from 'node:perf_hooks'
import { diffTree, wholeSide } from '../../src/model/diff-tree.ts'
import type { Profile } from '../../src/model/profile.ts'
import { rateDifference, rateRatio, shareDifference } from '../../src/stats/compare.ts'
import {
  DIFF_SCALES,
  type DiffScale,
  diffTable,
  isSignificant,
  VERDICTS,
} from '../../src/stats/diff-table.ts'
import { wilson } from '../../src/stats/interval.ts'
import { binomialPoints, HANDFULS, meanCoverage, poissonPoints } from '../helpers/coverage.ts'
import {
  drawing,
  drawingFrom,
  heavyTailedStacks,
  trueShare,
  withShareRaised,
} from '../helpers/random-profiles.ts'

const RUNS = Number(process.argv[2] ?? 2000)
const DRAWS = 40_000
const SIZES = [200, 1000, 5000, 50_000]
const SHARES = [0.005, 0.02, 0.1, 0.3, 0.5, 0.9]

const percent = (part: number, all: number): string => `${((100 * part) / all).toFixed(2)} %`

function coverage(title: string, rows: readonly { name: string; covered(): boolean }[]): void {
  console.log(`\n${title}, ${DRAWS} draws each`)
  for (const { name, covered } of rows) {
    let hits = 0
    for (let i = 0; i < DRAWS; i++) if (covered()) hits++
    console.log(`  ${name.padEnd(36)} ${percent(hits, DRAWS)}`)
  }
}

let seed = 1
const binomialDraw = (n: number, p: number): (() => number) => drawingFrom(binomialPoints(n, p), seed++)
const within = (truth: number, { low, high }: { low: number; high: number }): boolean =>
  low <= truth && truth <= high

coverage(
  'share (Wilson)',
  SIZES.flatMap((n) =>
    SHARES.map((p) => {
      const draw = binomialDraw(n, p)
      return { name: `${p} of ${n}`, covered: () => within(p, wilson(draw(), n)) }
    }),
  ),
)
console.log('\nshare (Wilson), averaged over the true shares that may be behind a handful of hits, exact')
for (const { samples, from, to } of HANDFULS) {
  const part = meanCoverage((count) => wilson(count, samples), samples, { from, to })
  console.log(`  ${`${from} to ${to} expected of ${samples}`.padEnd(36)} ${percent(part, 1)}`)
}
coverage(
  'difference of shares (Newcombe)',
  SIZES.flatMap((n) =>
    SHARES.map((p) => {
      const [m, q] = [Math.round(n * 1.7), Math.min(1, p * 1.1)]
      const [a, b] = [binomialDraw(n, p), binomialDraw(m, q)]
      const covered = () =>
        within(q - p, shareDifference({ before: a(), after: b() }, { before: n, after: m }))
      return { name: `${p} of ${n} -> ${q.toFixed(4)} of ${m}`, covered }
    }),
  ),
)
coverage(
  'difference and ratio of rates',
  [5, 50, 500, 5000].flatMap((mean) => {
    const exposure = { before: 10, after: 20 }
    const [a, b] = [drawingFrom(poissonPoints(mean), seed++), drawingFrom(poissonPoints(3 * mean), seed++)]
    const counts = () => ({ before: a(), after: b() })
    return [
      {
        name: `difference, ${mean} in 10 s -> ${3 * mean} in 20 s`,
        covered: () => within((0.5 * mean) / 10, rateDifference(counts(), exposure)),
      },
      {
        name: `ratio, ${mean} in 10 s -> ${3 * mean} in 20 s`,
        covered: () => within(1.5, rateRatio(counts(), exposure)),
      },
    ]
  }),
)

function tableOf(before: Profile, after: Profile, scale: DiffScale) {
  return diffTable(diffTree(wholeSide(before, 1), wholeSide(after, 1)), scale)
}

console.log(`\nfalse alarms: two samples of one distribution, ${RUNS} runs each`)
for (const [functions, stacks, samples] of [
  [400, 2000, 500],
  [400, 2000, 2000],
  [400, 2000, 20_000],
  [30, 100, 2000],
] as const) {
  for (const scale of DIFF_SCALES) {
    const draw = drawing(heavyTailedStacks(functions, stacks, 7), seed++)
    const start = performance.now()
    let alarms = 0
    let tests = 0
    for (let run = 0; run < RUNS; run++) {
      const table = tableOf(draw(samples), draw(samples), scale)
      tests = table.tests
      if (table.verdict.some(isSignificant)) alarms++
    }
    const ms = (performance.now() - start) / RUNS
    console.log(
      `  ${scale.padEnd(10)} ${functions} functions, ${samples} samples: ${percent(alarms, RUNS)} (${tests} tests, ${ms.toFixed(1)} ms a diff)`,
    )
  }
}

console.log(`\npower: +3 points in the total of one function`)
const base = heavyTailedStacks(400, 2000, 7)
for (const samples of [500, 1000, 2000, 4000]) {
  for (const name of [0.01, 0.03, 0.1, 0.3].map(nearestShare)) {
    const [a, b] = [drawing(base, seed++), drawing(withShareRaised(base, name, 0.03), seed++)]
    let found = 0
    for (let run = 0; run < RUNS / 10; run++) {
      const table = tableOf(a(samples), b(samples), 'relative')
      const fn = table.functions.name.indexOf(name)
      if (VERDICTS[table.total.verdict[fn]!] === 'grew') found++
    }
    const share = (100 * trueShare(base, name)).toFixed(1)
    console.log(`  ${samples} samples each, from ${share} %: found in ${percent(found, RUNS / 10)}`)
  }
}

/** The function whose true share is nearest. */
function nearestShare(wanted: number): string {
  const names = [...new Set(base.stacks.flat())].map((name) => ({ name, share: trueShare(base, name) }))
  names.sort((x, y) => Math.abs(x.share - wanted) - Math.abs(y.share - wanted))
  return names[0]!.name
}
