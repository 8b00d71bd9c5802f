/** How good a profile is, in a few figures with what to do about them: from the report of its capture, or from its frames alone. */
import type { CaptureReport, CountByReason, Profile } from '../model/profile.ts'
import { guessedStepRemedy, nameRemedy, stackRemedy } from '../model/remedies.ts'
import { APPROXIMATE_STACK } from '../model/stack-end.ts'
import { hasBroken } from './broken.ts'
import { percent, quantity, whole } from './numbers.ts'
import type { QualityFigure } from './protocol.ts'
import { shareThroughRunTimeCode, whereNamesMiss, whereStacksEnd } from './quality-causes.ts'

/** Below this share of complete stacks or named frames a profile needs a second look. */
const GOOD_SHARE = 0.95
/** Smaller shares would be printed as nothing. */
const SEEN_SHARE = 0.0005
const GOOD_LOSS = 0.001
const GOOD_COST = 0.01

/** Figures in the order of the header. `namedShare` is asked where no report tells it. */
export function qualityOf(profile: Profile, namedShare: () => number): QualityFigure[] {
  const { capture } = profile
  if (capture === null) return [namedFigure(profile, namedShare(), {})]
  const { frames } = capture
  const named = share(frames.named, frames.named + sum(frames.unnamed))
  return [
    stacksFigure(profile, capture),
    namedFigure(profile, named, frames.unnamed),
    lostFigure(capture),
    costFigure(capture),
  ]
}

function stacksFigure(profile: Profile, { stacks, samples }: CaptureReport): QualityFigure {
  const complete = share(stacks.complete, samples.kept)
  const cut = partOf(sum(stacks.truncated), samples.kept)
  const tone = cut > 1 - GOOD_SHARE ? 'bad' : complete >= GOOD_SHARE ? 'good' : 'fair'
  const rest = [
    { words: 'approximate', share: partOf(stacks.approximate, samples.kept) },
    { words: 'cut short', share: cut },
  ].filter((part) => tone !== 'good' && part.share >= SEEN_SHARE)
  return {
    value: percent(complete),
    label: ['stacks complete', ...rest.map((part) => `${percent(part.share)} ${part.words}`)].join(', '),
    tone,
    meaning: stacksMeaning(stacks),
    fix: stacksFix(profile, stacks, tone === 'bad'),
    isolates: hasBroken(profile),
  }
}

function stacksMeaning({ complete, approximate, truncated }: CaptureReport['stacks']): string {
  const cut = sum(truncated)
  return [
    `complete: ${whole(complete)} stacks reach the root of their thread`,
    ...(approximate > 0 ? [`approximate: ${whole(approximate)} reach it over a step that was guessed`] : []),
    cut > 0 ? `cut short: ${whole(cut)} end before it (${reasons(truncated)})` : 'cut short: none',
  ].join('; ')
}

/** By the reason that most stacks ended for, and the binary in which they did; only by those cut short where these are many. */
function stacksFix(
  profile: Profile,
  { truncated, approximate }: CaptureReport['stacks'],
  isCut: boolean,
): string {
  const counts = isCut ? truncated : { ...truncated, [APPROXIMATE_STACK]: approximate }
  const [reason, count] = Object.entries(counts).sort((a, b) => b[1] - a[1])[0]!
  if (count === 0) return ''
  if (reason === APPROXIMATE_STACK) return guessedStepRemedy(shareThroughRunTimeCode(profile, reason))
  const cause = whereStacksEnd(profile, reason)
  const remedy = stackRemedy(reason, cause?.binary ?? '')
  if (remedy === '' || cause === null) return remedy
  const place = cause.binary === '' ? '' : ` in ${cause.binary}`
  return `${percent(cause.share)} of the samples stop${place} (${words(reason)}): ${remedy}`
}

function namedFigure(profile: Profile, named: number, unnamed: CountByReason): QualityFigure {
  const why = sum(unnamed) === 0 ? '' : `; without a name: ${reasons(unnamed)}`
  const isGood = named >= GOOD_SHARE
  return {
    value: percent(named),
    label: 'named',
    tone: isGood ? 'good' : 'bad',
    meaning: `frames with a function name, weighted by samples${why}`,
    fix: isGood ? '' : namesFix(profile),
    isolates: false,
  }
}

/** For the binary and the reason that most frames without a name have. */
function namesFix(profile: Profile): string {
  const cause = whereNamesMiss(profile)
  if (cause === null) return ''
  const { reason, binary, share: part } = cause
  const files = profile.mappings.map(({ fileName }) => fileName)
  const remedy = nameRemedy(reason, binary, files)
  if (remedy === '') return ''
  const place = binary === '' ? '' : ` are in ${binary} and`
  const why = reason === '' ? '' : ` (${words(reason)})`
  return `${percent(part)} of the frames${place} have no name${why}: ${remedy}`
}

function lostFigure({ samples }: CaptureReport): QualityFigure {
  const lost = samples.captured - samples.kept
  const loss = samples.captured > 0 ? lost / samples.captured : 0
  return {
    value: whole(lost),
    label: 'lost',
    tone: loss <= GOOD_LOSS ? 'good' : 'bad',
    meaning: `samples lost of ${whole(samples.captured)} captured: ${reasons(samples.dropped)}`,
    fix: loss > GOOD_LOSS ? 'sample at a lower rate (-F), or fewer processes' : '',
    isolates: false,
  }
}

function costFigure({ durationNs, overhead }: CaptureReport): QualityFigure {
  const cost = durationNs > 0 ? overhead.cpuNs / durationNs : 0
  return {
    value: percent(cost),
    label: 'cost',
    tone: cost <= GOOD_COST ? 'none' : 'bad',
    meaning: `CPU the profiler used, of one core; memory ${quantity(overhead.rssBytes, 'bytes')}`,
    fix: cost > GOOD_COST ? 'a longer capture costs less per second: starting and naming are paid once' : '',
    isolates: false,
  }
}

function share(part: number, all: number): number {
  return all > 0 ? part / all : 1
}

function partOf(part: number, all: number): number {
  return all > 0 ? part / all : 0
}

function sum(counts: CountByReason): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function reasons(counts: CountByReason): string {
  const named = Object.entries(counts).filter(([, count]) => count > 0)
  if (named.length === 0) return 'none'
  return named.map(([reason, count]) => `${whole(count)} ${words(reason)}`).join(', ')
}

function words(reason: string): string {
  return reason.replaceAll('_', ' ')
}
