/**
 * A diff as numbers: every function of two profiles with its weights before and after, the change, its interval, and
 * whether it is more than noise. Columns, so that the page can sort them.
 */
import type { DiffFunctions } from '../model/diff-functions.ts'
import type { DiffSide, DiffTree } from '../model/diff-tree.ts'
import { type FunctionWeights, functionWeights } from '../model/function-weights.ts'
import { sampleWeight } from '../model/sample-count.ts'
import {
  type Comparison,
  type Estimate,
  rateComparison,
  rateDifference,
  shareComparison,
  shareDifference,
  type TwoCounts,
} from './compare.ts'
import { adjustFamily, FAMILY_LEVEL, type FamilyTest } from './family.ts'

/**
 * What is compared: the share of all samples, the weight per second of wall time, or the weight itself. Shares answer
 * for profiles of any length and load.
 */
export const DIFF_SCALES = ['relative', 'per-second', 'absolute'] as const
export type DiffScale = (typeof DIFF_SCALES)[number]

/** `new` and `gone` are significant too; `unknown`: the number of samples is not known, so nothing is claimed. */
export const VERDICTS = ['noise', 'grew', 'shrank', 'new', 'gone', 'unknown'] as const
export type Verdict = (typeof VERDICTS)[number]

/** One side as a whole. */
export interface SideTotal {
  /** In the unit of the column. */
  readonly value: number
  /** Independent samples; null when unknown. */
  readonly samples: number | null
  /** Value of one sample; null when unknown or not the same for all. */
  readonly sampleWeight: number | null
  readonly seconds: number
  /** Divides a value into the scale: the total value, the seconds, or 1. */
  readonly divisor: number
}

/** Self or total by function of the diff. */
export interface DiffMeasure {
  /** In the unit of the column; divided by the side's `divisor` they are in the scale. */
  readonly before: Float64Array
  readonly after: Float64Array
  /** After minus before in the scale: a fraction, unit per second, or unit. */
  readonly change: Float64Array
  /** 95 % interval of the change, each function by itself; NaN when unknown. */
  readonly low: Float64Array
  readonly high: Float64Array
  /** Two-sided p-value of the function alone, and the one for the whole diff (family.ts); NaN when unknown. */
  readonly p: Float64Array
  readonly adjustedP: Float64Array
  /** Index into VERDICTS. */
  readonly verdict: Uint8Array
}

/** Every function of a diff; index = function of `functions`. */
export interface DiffTable extends Judgement {
  readonly functions: DiffFunctions
}

/** What is said of the functions of a diff, whoever numbers them. */
export interface Judgement {
  readonly scale: DiffScale
  readonly before: SideTotal
  readonly after: SideTotal
  readonly self: DiffMeasure
  readonly total: DiffMeasure
  /** Of the function: its total's verdict where that is significant, else its self's. Index into VERDICTS. */
  readonly verdict: Uint8Array
  /** Tests made: those of self and total of all functions are one family. 0 when the numbers of samples are unknown. */
  readonly tests: number
}

/** Compares the two sides of a tree. Per second, a side whose time is unknown has no changes (NaN) and no verdicts. */
export function diffTable(tree: DiffTree, scale: DiffScale): DiffTable {
  const before = sideTotal(tree.sides.before, tree.before.total[0]!, scale)
  const after = sideTotal(tree.sides.after, tree.after.total[0]!, scale)
  return { functions: tree.functions, ...judgeFunctions(functionWeights(tree), before, after, scale) }
}

/** Compares weights by function of two sides. */
export function judgeFunctions(
  weights: FunctionWeights,
  before: SideTotal,
  after: SideTotal,
  scale: DiffScale,
): Judgement {
  const judge = judgeOf(before, after, scale)
  const self = judged(weights.before.self, weights.after.self, judge, before, after)
  const total = judged(weights.before.total, weights.after.total, judge, before, after)
  const tests = judge === null ? 0 : adjust(judge, self, total)
  for (const measure of [self, total]) setVerdicts(measure, total, judge !== null)
  const verdict = total.verdict.map((of, fn) => (isSignificant(of) ? of : self.verdict[fn]!))
  return { scale, before, after, self, total, verdict, tests }
}

/** Whether a verdict (an index into VERDICTS) is one that the diff stands for. */
export function isSignificant(verdict: number): boolean {
  return verdict !== NOISE && verdict !== UNKNOWN
}

const NOISE = VERDICTS.indexOf('noise')
const UNKNOWN = VERDICTS.indexOf('unknown')

/** A side of a weight, in a scale. */
export function sideTotal(side: DiffSide, value: number, scale: DiffScale): SideTotal {
  const { profile, column, seconds } = side
  const weight = sampleWeight(profile, column)
  const divisor = scale === 'relative' ? value : scale === 'per-second' ? seconds : 1
  return { value, samples: weight && Math.round(value / weight), sampleWeight: weight, seconds, divisor }
}

/** How two counts are compared in a scale, both in samples. */
interface Judge {
  counts(before: number, after: number): TwoCounts
  comparison(marked: number): Comparison
  difference(counts: TwoCounts): Estimate
}

/** Null where there is nothing to judge by. */
function judgeOf(before: SideTotal, after: SideTotal, scale: DiffScale): Judge | null {
  const [a, b] = [before.sampleWeight, after.sampleWeight]
  if (a === null || b === null || !before.samples || !after.samples) return null
  if (!(before.divisor > 0 && after.divisor > 0)) return null
  const known = new Map<number, Comparison>()
  const cached = (make: (marked: number) => Comparison) => (marked: number) => {
    const comparison = known.get(marked) ?? make(marked)
    known.set(marked, comparison)
    return comparison
  }
  const counts = (x: number, y: number): TwoCounts => ({
    before: Math.round(x / a),
    after: Math.round(y / b),
  })
  if (scale === 'relative') {
    const all = { before: before.samples, after: after.samples }
    return {
      counts,
      comparison: cached((marked) => shareComparison(marked, all)),
      difference: (of) => shareDifference(of, all),
    }
  }
  const exposure = { before: before.divisor / a, after: after.divisor / b }
  return {
    counts,
    comparison: cached((marked) => rateComparison(marked, exposure)),
    difference: (of) => rateDifference(of, exposure),
  }
}

function judged(
  weightBefore: Float64Array,
  weightAfter: Float64Array,
  judge: Judge | null,
  before: SideTotal,
  after: SideTotal,
): DiffMeasure {
  const count = weightBefore.length
  const unknown = (): Float64Array => new Float64Array(count).fill(Number.NaN)
  const [change, low, high, p] = [new Float64Array(count), unknown(), unknown(), unknown()]
  for (let fn = 0; fn < count; fn++) {
    change[fn] = scaled(weightAfter[fn]!, after) - scaled(weightBefore[fn]!, before)
    if (judge === null) continue
    const counts = judge.counts(weightBefore[fn]!, weightAfter[fn]!)
    const bounds = judge.difference(counts)
    low[fn] = bounds.low
    high[fn] = bounds.high
    p[fn] = judge.comparison(counts.before + counts.after).p(counts.after)
  }
  const weights = { before: weightBefore, after: weightAfter }
  return { ...weights, change, low, high, p, adjustedP: unknown(), verdict: new Uint8Array(count) }
}

/** A weight in the scale of its side; NaN per second of an unknown time. */
export function scaled(weight: number, { divisor }: SideTotal): number {
  return weight === 0 ? 0 : divisor > 0 ? weight / divisor : Number.NaN
}

/**
 * Adjusts the p-values of both measures as one family; returns the number of tests. Where self and total of a function
 * are the same samples (it calls nothing), they are one test.
 */
function adjust(judge: Judge, self: DiffMeasure, total: DiffMeasure): number {
  const tests: FamilyTest[] = []
  const testOf = new Map<DiffMeasure, Int32Array>()
  for (const measure of [total, self]) {
    const ids = new Int32Array(measure.p.length).fill(-1)
    testOf.set(measure, ids)
    for (let fn = 0; fn < ids.length; fn++) {
      const [before, after] = [measure.before[fn]!, measure.after[fn]!]
      if (before + after === 0) continue
      const isTotal = measure === self && before === total.before[fn]! && after === total.after[fn]!
      if (isTotal) {
        ids[fn] = testOf.get(total)![fn]!
        continue
      }
      const counts = judge.counts(before, after)
      const { smallest, variance } = judge.comparison(counts.before + counts.after)
      ids[fn] = tests.push({ p: measure.p[fn]!, smallest, variance }) - 1
    }
  }
  const adjusted = adjustFamily(tests)
  for (const [measure, ids] of testOf) {
    for (let fn = 0; fn < ids.length; fn++) measure.adjustedP[fn] = ids[fn]! < 0 ? 1 : adjusted[ids[fn]!]!
  }
  return tests.length
}

/** A function is new or gone when it is nowhere on the other side's stacks, whatever the measure. */
function setVerdicts(
  { change, adjustedP, verdict }: DiffMeasure,
  { before, after }: DiffMeasure,
  isKnown: boolean,
): void {
  for (let fn = 0; fn < verdict.length; fn++) {
    let word: Verdict = 'noise'
    if (!isKnown) word = 'unknown'
    else if (adjustedP[fn]! <= FAMILY_LEVEL) {
      if (before[fn] === 0) word = 'new'
      else if (after[fn] === 0) word = 'gone'
      else word = change[fn]! > 0 ? 'grew' : 'shrank'
    }
    verdict[fn] = VERDICTS.indexOf(word)
  }
}
