/** How good a profile is, in a few figures with what to do about them: from the report of its capture, or from its frames alone. */
import { baseName } from '../model/frame-name.ts'
import type { CaptureReport, CountByReason, Profile } from '../model/profile.ts'
import { symbolsRemedy, unwindRemedy } from '../model/remedies.ts'
import { hasBroken, rowsBroken } from './broken.ts'
import { percent, quantity, whole } from './numbers.ts'
import type { QualityFigure } from './protocol.ts'

/** Below this share of complete stacks or named frames a profile needs a second look. */
const GOOD_SHARE = 0.95
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
  const guessed = `${whole(stacks.approximate)} had a guessed step`
  return {
    value: percent(complete),
    label: 'stacks complete',
    isGood: complete >= GOOD_SHARE,
    meaning: `stacks that reach the root of their thread; ${guessed}, cut short: ${reasons(stacks.truncated)}`,
    fix: stacksFix(profile, stacks.truncated),
    isolates: hasBroken(profile),
  }
}

/** By the reason that most stacks ended for, and the binary in which they did. */
function stacksFix(profile: Profile, truncated: CountByReason): string {
  const [reason = ''] = Object.entries(truncated).sort((a, b) => b[1] - a[1])[0] ?? []
  if (reason === 'jit' || reason === 'no_unwind_rows') {
    const { name, part } = whereStacksEnd(profile, reason)
    if (name === '') return 'run `profile doctor PID` to see which of its binaries cannot be unwound'
    const words = `${percent(part)} of the samples stop in ${name}`
    return reason === 'jit'
      ? `${words}, code made at run time: start the program so that it keeps frame pointers (node does, Java with -XX:+PreserveFramePointer)`
      : `${words}, which has no unwind rows there: ${unwindRemedy(name)}`
  }
  if (reason.startsWith('raw_'))
    return 'many stacks waited for unwind tables at once: profile longer, the next capture has them cached'
  return ''
}

/** The binary of the outermost frame of most stacks that ended for a reason, and their share of all samples. */
function whereStacksEnd(profile: Profile, reason: string): { name: string; part: number } {
  const { samples, stacks, locations, mappings } = profile
  const rows = rowsBroken(profile, reason)
  const counts = new Map<string, number>()
  for (let row = 0; row < rows.length; row++) {
    let node = rows[row] === 1 ? samples.stack[row]! : -1
    if (node < 0) continue
    while (stacks.parent[node]! >= 0) node = stacks.parent[node]!
    const mapping = mappings[locations[stacks.location[node]!]!.mapping]
    const name = baseName(mapping?.fileName ?? '')
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const [name = '', count = 0] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? []
  return { name, part: share(count, rows.length) }
}

function namedFigure(profile: Profile, named: number, unnamed: CountByReason): QualityFigure {
  const why = sum(unnamed) === 0 ? '' : `; without a name: ${reasons(unnamed)}`
  const isGood = named >= GOOD_SHARE
  return {
    value: percent(named),
    label: 'named',
    isGood,
    meaning: `frames with a function name, weighted by samples${why}`,
    fix: isGood ? '' : namesFix(profile),
    isolates: false,
  }
}

/** For the binary that has most locations without a name. */
function namesFix({ locations, mappings }: Profile): string {
  const counts = new Map<string, number>()
  for (const { lines, mapping } of locations) {
    const name = baseName(mappings[mapping]?.fileName ?? '')
    if (lines.length === 0 && name !== '') counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const [name] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? []
  return name === undefined ? '' : symbolsRemedy(name)
}

function lostFigure({ samples }: CaptureReport): QualityFigure {
  const lost = samples.captured - samples.kept
  const loss = samples.captured > 0 ? lost / samples.captured : 0
  return {
    value: whole(lost),
    label: 'lost',
    isGood: loss <= GOOD_LOSS,
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
    isGood: cost <= GOOD_COST ? null : false,
    meaning: `CPU the profiler used, of one core; memory ${quantity(overhead.rssBytes, 'bytes')}`,
    fix: cost > GOOD_COST ? 'a longer capture costs less per second: starting and naming are paid once' : '',
    isolates: false,
  }
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
