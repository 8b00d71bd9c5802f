/** A comparison in the terminal: the sentence, which file is which, and the significant changes by what happened. Pure. */
import type { DiffReport } from '../formats/diff-report.ts'
import { baseName } from '../model/frame-name.ts'
import { narrowName } from '../model/short-name.ts'
import type { DiffChange } from '../stats/diff-ranking.ts'
import type { SideTotal, Verdict } from '../stats/diff-table.ts'
import { errorText } from '../stats/diff-text.ts'
import { quantityText, secondsOf } from '../stats/quantity-text.ts'
import { bar, type Colour, clean, clip, fit, grouped, type Style } from './terminal.ts'

/** Rows of each section. */
const MAX_ROWS = 8
const BAR_WIDTH = 10

/** In the order in which they are shown; the words tell what the colour tells. */
const SECTIONS: readonly { verdict: Verdict; title: string; colour: Colour }[] = [
  { verdict: 'grew', title: 'grew', colour: 'red' },
  { verdict: 'new', title: 'appeared', colour: 'red' },
  { verdict: 'shrank', title: 'shrank', colour: 'green' },
  { verdict: 'gone', title: 'disappeared', colour: 'green' },
]

/** Lines without line feeds. */
export function diffLines(report: DiffReport, style: Style): string[] {
  const { files, table } = report
  const lines = [
    style.paint('bold', spelled(clean(report.verdict), style)),
    ` before  ${sideText(files.before, table.before, report, style)}`,
    ` after   ${sideText(files.after, table.after, report, style)}`,
    ...rateLine(report, style),
  ]
  for (const section of SECTIONS) lines.push(...sectionLines(report, section, style))
  for (const note of report.notes)
    lines.push(` ${style.paint('yellow', 'note:')} ${spelled(clean(note), style)}`)
  return lines
}

/** Text of ours in the characters of the terminal. */
export function spelled(text: string, style: Style): string {
  if (style.unicode) return text
  return text.replaceAll('→', '->').replaceAll('±', '+-').replaceAll('·', '-').replaceAll('…', '...')
}

function sideText(file: string, side: SideTotal, { column }: DiffReport, style: Style): string {
  const parts = [
    clean(file),
    ...(side.seconds > 0 ? [`${side.seconds.toFixed(1)} s`] : []),
    side.samples === null
      ? quantityText(side.value, column.unit)
      : `${grouped(side.samples)} ${side.samples === 1 ? 'sample' : 'samples'}`,
  ]
  return spelled(parts.join(' · '), style)
}

/** ' CPU per second: 1.83 → 1.81 cores, 0.99 times (0.92 to 1.06)'. */
function rateLine({ table, column, ratePerSecond: rate }: DiffReport, style: Style): string[] {
  const { before, after } = table
  if (!(before.seconds > 0 && after.seconds > 0)) return []
  const seconds = secondsOf(column.unit)
  const perSecond = ({ value, seconds: time }: SideTotal): string =>
    seconds === null ? quantityText(value / time, column.unit) : ((value * seconds) / time).toFixed(2)
  const unit = seconds === null ? '' : column.type === 'cpu' ? ' cores' : ' s'
  const title = seconds !== null && column.type === 'cpu' ? 'CPU' : clean(column.type)
  const interval =
    rate === null
      ? ''
      : `, ${rate.value.toFixed(2)} times (${rate.low.toFixed(2)} to ${rate.high.toFixed(2)})`
  return [
    spelled(` ${title} per second: ${perSecond(before)} → ${perSecond(after)}${unit}${interval}`, style),
  ]
}

function sectionLines(
  report: DiffReport,
  { verdict, title, colour }: (typeof SECTIONS)[number],
  style: Style,
): string[] {
  const { significant } = report.ranking
  const changes = significant.filter((change) => change.verdict === verdict)
  if (changes.length === 0) return []
  const most = Math.max(...significant.map(({ change }) => Math.abs(change)))
  const rows = changes.slice(0, MAX_ROWS).map((change) => changeLine(report, change, most, colour, style))
  const rest = changes.length - rows.length
  const unit = report.words.unit === '' ? '' : `, in ${report.words.unit}`
  return [` ${title}${unit}`, ...rows, ...(rest > 0 ? [`   and ${rest} more (--json lists all)`] : [])]
}

/** Narrow terminals lose the file first, then the bar, then the two values; change and name always stay. */
function changeLine(
  { table, words }: DiffReport,
  change: DiffChange,
  most: number,
  colour: Colour,
  style: Style,
): string {
  const size = spelled(`${words.change(change.change)} ${errorText(change, words)}`, style)
  const drawn = fit(bar(Math.abs(change.change) / most, BAR_WIDTH, style), BAR_WIDTH, style)
  const values = spelled(`${pad(words.value(change.before))} → ${words.value(change.after)}`, style)
  const cells = [
    size.padStart(13),
    ...(style.columns >= 76 ? [drawn] : []),
    ...(style.columns >= 56 ? [values.padEnd(2 * VALUE_WIDTH + 3)] : []),
    change.measure.padEnd(5),
  ]
  const room = style.columns - cells.join('  ').length - 3
  const { name, file } = table.functions
  const shown = clip(clean(narrowName(name[change.fn]!, room)), room, style)
  const place = clean(baseName(file[change.fn]!))
  const hasRoom = Array.from(shown).length + 2 + Array.from(place).length <= room
  const painted = cells.map((cell) => (cell === drawn ? style.paint(colour, cell) : cell)).join('  ')
  return ` ${painted}  ${shown}${hasRoom ? `  ${style.paint('dim', place)}` : ''}`.trimEnd()
}

/** Values of one column under another. */
const VALUE_WIDTH = 6
const pad = (text: string): string => text.padStart(VALUE_WIDTH)
