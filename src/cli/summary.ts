/**
 * The answer in the terminal after a capture: at most 20 lines, every percentage with its 95 % interval. Pure: a finished profile in, lines out.
 */
import { sampledSeconds } from '../model/merge-reports.ts'
import type { CaptureReport, Profile } from '../model/profile.ts'
import { ratesText } from '../model/rates-text.ts'
import { shareColumn } from '../model/sample-count.ts'
import { narrowName, shortName } from '../model/short-name.ts'
import { type TopFunction, topFunctions } from '../model/top.ts'
import { percentText } from '../stats/percent-text.ts'
import { hottestPath } from './hottest-path.ts'
import type { WrittenFile } from './output-files.ts'
import { bar, byteSize, clean, clip, fit, grouped, type Style } from './terminal.ts'

/** Most lines of a summary, and most of each part that may be long. */
const MAX_LINES = 20
const MAX_FUNCTIONS = 10
const MAX_NOTES = 3
const MAX_FILES = 4

const BAR_WIDTH = 12
const NAME_WIDTH = 30
/** Names at the end of the hottest path. */
const PATH_NAMES = 4

export interface SummaryOptions {
  readonly style: Style
  readonly files: readonly WrittenFile[]
  /** Said behind the page, e.g. 'opened in your browser'; '' for nothing. */
  readonly opened: string
  /** Lines below the files, e.g. how to fetch them over SSH. */
  readonly afterFiles: readonly string[]
}

/** Lines without line feeds. `profile.capture` must be there: the summary is of a capture. */
export function summaryLines(profile: Profile, capture: CaptureReport, options: SummaryOptions): string[] {
  const { style } = options
  const end = [
    ...kindLine(profile, style),
    ...pathLine(profile, style),
    ...noteLines(capture.notes, style),
    ...fileLines(options),
    ...options.afterFiles.map((line) => `   ${line}`),
  ]
  const head = [
    style.paint('bold', titleLine(capture, style)),
    style.paint('dim', qualityLine(capture, style)),
  ]
  const room = Math.min(MAX_FUNCTIONS, MAX_LINES - head.length - end.length)
  return [...head, ...functionLines(profile, room, style), ...end]
}

function percent(count: number, total: number, style: Style): string {
  return spelled(percentText(count, total), style)
}

/** Text of ours where the terminal has only ASCII. */
function spelled(text: string, style: Style): string {
  return style.unicode ? text : text.replaceAll('±', '+-').replaceAll('…', '...')
}

function separator(style: Style): string {
  return style.unicode ? ' · ' : ' - '
}

/** 'node (pid 4242)', 'nginx (5 processes: 12, 13, 14, …)', 'all processes of host'. */
export function targetTitle(target: CaptureReport['target'], host: string): string {
  if (target.kind === 'all') return `all processes of ${clean(host)}`
  const { pids } = target
  const name = clean(target.name)
  if (pids.length < 2) return pids.length === 0 ? name : `${name} (pid ${pids[0]})`
  return `${name} (${pids.length} processes: ${pids.slice(0, 3).join(', ')}${pids.length > 3 ? ', ...' : ''})`
}

function titleLine(capture: CaptureReport, style: Style): string {
  const durationS = capture.durationNs / 1e9
  const cores = durationS > 0 ? sampledSeconds(capture) / durationS : 0
  return [
    targetTitle(capture.target, capture.host.name),
    `${durationS.toFixed(1)} s`,
    `${cores.toFixed(2)} cores`,
    `${grouped(capture.samples.captured)} samples @ ${ratesText(capture)}`,
  ].join(separator(style))
}

/** How good the profile is and what it cost, in one line. */
function qualityLine(capture: CaptureReport, style: Style): string {
  const { kept, dropped } = capture.samples
  const unnamed = total(capture.frames.unnamed)
  // Frames of one stack are not independent, so the share of frames gets the interval of as many samples.
  const namedShare = capture.frames.named / Math.max(1, capture.frames.named + unnamed)
  const parts = [
    `${grouped(total(dropped))} lost`,
    `complete ${percent(capture.stacks.complete, kept, style)}`,
    `named ${percent(namedShare * kept, kept, style)}`,
    `cost ${(capture.overhead.cpuNs / 1e6).toFixed(0)} ms CPU, ${byteSize(capture.overhead.rssBytes)}`,
  ]
  return ` ${parts.join(separator(style))}`
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, n) => sum + n, 0)
}

function functionLines(profile: Profile, rows: number, style: Style): string[] {
  const { column, weight } = shareColumn(profile)
  const kept = sampleTotal(profile)
  const top = topFunctions(profile, column)
    .map((f) => ({ ...f, self: f.self / weight, total: f.total / weight }))
    .filter((f) => f.self > 0)
    .slice(0, Math.max(0, rows))
  const most = top[0]?.self ?? 0
  return top.map((f) => functionLine(f, most, kept, style))
}

/** What shares are of, in samples. */
function sampleTotal(profile: Profile): number {
  const { column, weight } = shareColumn(profile)
  return (profile.samples.values[column] ?? new Float64Array()).reduce((sum, n) => sum + n, 0) / weight
}

function functionLine(entry: TopFunction, most: number, kept: number, style: Style): string {
  const share = percent(entry.self, kept, style)
  // Narrow terminals lose the file first, then the bar; the name always stays.
  const [lead, barWidth] = [16, style.columns >= 60 ? BAR_WIDTH : 0]
  const left = style.columns - lead - barWidth - (barWidth > 0 ? 4 : 2)
  const nameWidth =
    style.columns >= 80 ? Math.min(NAME_WIDTH + Math.max(0, style.columns - 110), left - 18) : left
  const drawn =
    barWidth > 0
      ? `${style.paint('green', fit(bar(entry.self / most, barWidth, style), barWidth, style))}  `
      : ''
  const file =
    style.columns >= 80
      ? `  ${style.paint('dim', lastParts(shownFile(entry.file), left - nameWidth - 2, style))}`
      : ''
  return `${alignPercent(share).padEnd(lead)}${drawn}${fit(spelled(clean(narrowName(entry.name, nameWidth)), style), nameWidth, style)}${file}`.trimEnd()
}

/** The percent sign in one column: ' 31.2% ±2.1', '  9.8% ±1.4'. */
function alignPercent(share: string): string {
  return ' '.repeat(Math.max(0, 7 - share.indexOf('%'))) + share
}

/** perf's word for the kernel's symbols is no file, and too long for the column. */
function shownFile(file: string): string {
  return file === '[kernel.kallsyms]' ? '[kernel]' : clean(file)
}

/** As many of a path's last parts as fit: its end says more than its start. */
function lastParts(path: string, width: number, style: Style): string {
  let rest = path
  while (Array.from(rest).length > width && rest.includes('/')) rest = rest.slice(rest.indexOf('/') + 1)
  return clip(rest, width, style)
}

const KIND_NAMES = { native: 'user', kernel: 'kernel', jit: 'JIT', interpreted: 'interpreted' } as const

/** Where the samples' innermost frames were: 'user 71.0% ±2.1 · kernel 29.0% ±2.1'. */
function kindLine(profile: Profile, style: Style): string[] {
  const counts = { native: 0, kernel: 0, jit: 0, interpreted: 0 }
  const { stack, values } = profile.samples
  const { column, weight } = shareColumn(profile)
  let all = 0
  for (const [row, leaf] of stack.entries()) {
    const location = profile.locations[profile.stacks.location[leaf] ?? -1]
    const samples = values[column]![row]! / weight
    all += samples
    if (location) counts[location.kind] += samples
  }
  const kinds = (Object.keys(counts) as (keyof typeof counts)[]).filter((kind) => counts[kind] > 0)
  const parts = kinds.map((kind) => `${KIND_NAMES[kind]} ${percent(counts[kind], all, style)}`)
  return parts.length === 0 ? [] : [` ${parts.join(separator(style))}`]
}

/** The path's end says most: names are left out from its start until the line fits. */
function pathLine(profile: Profile, style: Style): string[] {
  const path = hottestPath(profile, PATH_NAMES)
  if (!path) return []
  const arrow = style.unicode ? ' › ' : ' > '
  const share = percent(path.samples, sampleTotal(profile), style)
  const text = (names: readonly string[]): string =>
    ` hottest path ${share}: ${names.map((name) => clean(shortName(name))).join(arrow)}`
  let names = path.names
  while (names.length > 1 && Array.from(text(names)).length > style.columns) names = names.slice(1)
  return [clip(text(names), style.columns, style)]
}

function noteLines(notes: readonly string[], style: Style): string[] {
  const shown = notes.length > MAX_NOTES ? MAX_NOTES - 1 : notes.length
  const lines = notes
    .slice(0, shown)
    .map((note) => ` ${style.paint('yellow', 'note:')} ${spelled(clean(note), style)}`)
  const more = notes.length - shown
  return more > 0 ? [...lines, ` ${style.paint('yellow', 'note:')} ${more} more with -v`] : lines
}

function fileLines({ files, opened, style }: SummaryOptions): string[] {
  const arrow = style.unicode ? '→' : '->'
  const shown = files.length > MAX_FILES ? MAX_FILES - 1 : files.length
  const lines = files.slice(0, shown).map((file) => {
    const note = file.format === 'html' && opened !== '' ? `   ${opened}` : ''
    return ` ${arrow} ${clean(file.path)} (${byteSize(file.bytes)})${note}`
  })
  return files.length > shown ? [...lines, ` ${arrow} and ${files.length - shown} more files`] : lines
}
