/** How good the profile is, in a few numbers for the header: from the capture report, or from the frames alone. */
import type { FlameTree } from '../../model/flame-tree.ts'
import type { CaptureReport, CountByReason } from '../../model/profile.ts'
import { percent, quantity, whole } from './numbers.ts'

/** One figure: `value` in words, `isGood` decides the dot, null: no judgement. */
export interface QualityFigure {
  readonly value: string
  readonly label: string
  readonly isGood: boolean | null
  /** The sentence behind the figure. */
  readonly meaning: string
}

/** Below this share of complete stacks or named frames a profile needs a second look. */
const GOOD_SHARE = 0.95
const GOOD_LOSS = 0.001
const GOOD_COST = 0.01

/** Figures in the order of the header. */
export function qualityFigures(tree: FlameTree): QualityFigure[] {
  const capture = tree.profile.capture
  if (capture === null) return [namedFigure(namedShare(tree), '')]
  return captureFigures(capture)
}

function captureFigures(capture: CaptureReport): QualityFigure[] {
  const { samples, stacks, frames, overhead } = capture
  const complete = samples.kept > 0 ? stacks.complete / samples.kept : 1
  const unnamed = sum(frames.unnamed)
  const lost = samples.captured - samples.kept
  const loss = samples.captured > 0 ? lost / samples.captured : 0
  const cost = capture.durationNs > 0 ? overhead.cpuNs / capture.durationNs : 0
  const guessed = `${whole(stacks.approximate)} had a guessed step`
  return [
    {
      value: percent(complete),
      label: 'stacks complete',
      isGood: complete >= GOOD_SHARE,
      meaning: `stacks that reach the root of their thread; ${guessed}, cut short: ${reasons(stacks.truncated)}`,
    },
    namedFigure(share(frames.named, frames.named + unnamed), reasons(frames.unnamed)),
    {
      value: whole(lost),
      label: 'lost',
      isGood: loss <= GOOD_LOSS,
      meaning: `samples lost of ${whole(samples.captured)} captured: ${reasons(samples.dropped)}`,
    },
    {
      value: percent(cost),
      label: 'cost',
      isGood: cost <= GOOD_COST ? null : false,
      meaning: `CPU the profiler used, of one core; memory ${quantity(overhead.rssBytes, 'bytes')}`,
    },
  ]
}

function namedFigure(named: number, unnamed: string): QualityFigure {
  const why = unnamed === '' ? '' : `; without a name: ${unnamed}`
  const meaning = `frames with a function name, weighted by samples${why}`
  return { value: percent(named), label: 'named', isGood: named >= GOOD_SHARE, meaning }
}

/** Share of frames with a name, weighted by what runs through them. */
function namedShare(tree: FlameTree): number {
  let named = 0
  let all = 0
  for (let f = 0; f < tree.frames.count; f++) {
    all += tree.frameWeight[f]!
    if (tree.frames.function[f]! >= 0) named += tree.frameWeight[f]!
  }
  return share(named, all)
}

function share(part: number, all: number): number {
  return all > 0 ? part / all : 1
}

function sum(counts: CountByReason): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function reasons(counts: CountByReason): string {
  const named = Object.entries(counts).filter(([, count]) => count > 0)
  if (named.length === 0) return 'none'
  return named.map(([reason, count]) => `${whole(count)} ${reason.replaceAll('_', ' ')}`).join(', ')
}
