/** Two sides of a comparison on one structure: what changed by function, and the sentence about it. */
import type { DiffSide } from '../model/diff-tree.ts'
import type { ValueType } from '../model/profile.ts'
import { type DiffRanking, rankChanges } from '../stats/diff-ranking.ts'
import { isSignificant, type Judgement, judgeFunctions, sideTotal, VERDICTS } from '../stats/diff-table.ts'
import { diffWords, verdictSentence } from '../stats/diff-text.ts'
import { type FunctionWeights, functionWeights } from './functions.ts'
import type { Change, DrawnRow, Verdict } from './protocol.ts'
import type { Scale } from './state.ts'
import type { CallTree } from './tree.ts'

/** What is compared with what. */
export interface Sides {
  readonly beforeName: string
  readonly afterName: string
  readonly before: CallTree
  readonly after: CallTree
  readonly beforeSide: DiffSide
  readonly afterSide: DiffSide
  readonly scale: Scale
  readonly type: ValueType
}

/** A comparison, computed once for a pair of trees. */
export interface Compared {
  readonly sides: Sides
  readonly judgement: Judgement
  readonly ranking: DiffRanking
  readonly before: FunctionWeights
  readonly after: FunctionWeights
}

/** Compares all functions of two trees. */
export function compare(sides: Sides): Compared {
  const { before, after, beforeSide, afterSide, scale } = sides
  const [a, b] = [functionWeights(before), functionWeights(after)]
  const totals = [
    sideTotal(beforeSide, before.total[0]!, scale),
    sideTotal(afterSide, after.total[0]!, scale),
  ] as const
  const judgement = judgeFunctions({ before: a, after: b }, totals[0], totals[1], scale)
  return { sides, judgement, ranking: rankChanges(judgement), before: a, after: b }
}

/** Before-weights times this have the size of after-weights in the scale: both wholes are as wide when shares are compared. */
export function beforeFactor({ judgement }: Compared): number {
  const { before, after } = judgement
  return before.divisor > 0 && after.divisor > 0 ? after.divisor / before.divisor : 1
}

/** A function's change for the table: of self where `measure` says so, else of total. */
export function changeOf({ judgement }: Compared, fn: number, measure: 'self' | 'total'): Change {
  const { change, low, high, adjustedP, verdict } = judgement[measure]
  return {
    share: change[fn]!,
    low: low[fn]!,
    high: high[fn]!,
    p: adjustedP[fn]!,
    verdict: VERDICTS[verdict[fn]!]!,
  }
}

/** A function's change for the drawing, as a share of the larger whole. */
export function drawnChange({ judgement }: Compared, fn: number): DrawnRow['change'] {
  const { scale, before, after, total } = judgement
  const change = total.change[fn] ?? 0
  const whole =
    scale === 'relative' ? 1 : Math.max(before.value / before.divisor, after.value / after.divisor)
  const share = Number.isFinite(change) && whole > 0 ? Math.max(-1, Math.min(1, change / whole)) : 0
  return { share, significant: isSignificant(judgement.verdict[fn] ?? 0) }
}

/** What stands above everything else. */
export function verdictOf({ sides, judgement, ranking, before, after }: Compared): Verdict {
  const { frames } = sides.after
  const nameOf = (fn: number): string => frames.name[frames.functionFrame[fn]!]!
  const words = diffWords(sides.scale, sides.type)
  const gone: number[] = []
  for (let fn = 0; fn < before.count; fn++) if (before.total[fn]! > 0 && after.total[fn] === 0) gone.push(fn)
  gone.sort((a, b) => before.total[b]! - before.total[a]!)
  return {
    sentence: verdictSentence(judgement, ranking, words, nameOf),
    significant: ranking.significant.length,
    noise: ranking.counts.noise,
    gone: gone.slice(0, 50).map(nameOf),
    beforeName: sides.beforeName,
    afterName: sides.afterName,
    beforeTotal: sides.before.total[0]!,
    beforeSamples: judgement.before.samples,
  }
}
