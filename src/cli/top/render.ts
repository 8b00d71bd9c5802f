/** One screen of `profile top` as lines: pure, for the same data, state and size always the same text. */
import { narrowName } from '../../model/short-name.ts'
import { percentText } from '../../stats/percent-text.ts'
import { byteSize, clean, clip, fit, grouped, type Style } from '../terminal.ts'
import type { FunctionDetail } from './function-detail.ts'
import { HISTORY_WINDOWS, type SortColumn, type TopData, type TopRow } from './history.ts'
import { detailLines, HELP_LINES } from './render-pages.ts'
import { selectedIndex, type TopState } from './view-state.ts'

/** What a screen shows. */
export interface Screen {
  readonly state: TopState
  readonly data: TopData
  /** 'all processes of box', 'node (pid 42)'. */
  readonly title: string
  /** Samples by window of a function, oldest first. */
  readonly past: (key: string, sort: SortColumn) => readonly number[]
  /** Of the chosen function; null outside the detail page. */
  readonly detail: FunctionDetail | null
  /** Why nothing more comes, '' while all is well. */
  readonly problem: string
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** Below, not even a share fits beside its function. */
const MIN_COLUMNS = 20

/** Lines around the table: two of the header, one blank, the heads above; one below. */
const FRAME_LINES = 5

/** Rows of the table that fit. */
export function tableRows(size: Size): number {
  return Math.max(1, size.rows - FRAME_LINES)
}

/** Exactly `size.rows` lines at most, each of `size.columns` cells at most. */
export function renderTop(screen: Screen, size: Size, style: Style): string[] {
  const { state } = screen
  if (size.columns < MIN_COLUMNS) return [clip('too narrow', size.columns, style)]
  const room = tableRows(size)
  const body =
    state.mode === 'help'
      ? HELP_LINES.map((line) => clip(line, size.columns, style))
      : state.mode === 'detail' && screen.detail !== null
        ? detailLines(screen.detail, screen.data.samples, { columns: size.columns, rows: room + 1 }, style)
        : listLines(screen, room, size.columns, style)
  const filled = [...body, ...new Array<string>(Math.max(0, room + 1 - body.length)).fill('')]
  return [
    ...headLines(screen, size, style),
    '',
    ...filled.slice(0, room + 1),
    footLine(screen, size, style),
  ].slice(-size.rows)
}

function headLines({ data, title, state, problem }: Screen, size: Size, style: Style): string[] {
  const dot = style.unicode ? ' · ' : ' - '
  const { capture } = data
  const rate = capture?.rateHz ?? 0
  const cores = rate > 0 && data.seconds > 0 ? data.samples / rate / data.seconds : 0
  const facts = [clean(title)]
  if (capture !== null) {
    facts.push(`${cores.toFixed(2)} of ${capture.host.cpus} cores`)
    facts.push(`${grouped(data.samples)} samples in ${Math.round(data.seconds)} s @ ${rate} Hz`)
  }
  const mark = state.isPaused ? 'PAUSED' : ''
  const first = clip(facts.join(dot), size.columns - (mark === '' ? 0 : mark.length + 2), style)
  const gap = ' '.repeat(Math.max(1, size.columns - Array.from(first).length - mark.length))
  const second = problem === '' ? qualityText(data, dot, style) : ` ${clean(problem)}`
  return [
    `${style.paint('bold', first)}${mark === '' ? '' : gap + style.paint('yellow', mark)}`,
    style.paint(problem === '' ? 'dim' : 'red', clip(second, size.columns, style)),
  ]
}

function qualityText({ capture }: TopData, dot: string, style: Style): string {
  if (capture === null) return ' waiting for the first second'
  const { samples, stacks, frames, overhead } = capture
  const lost = Object.values(samples.dropped).reduce((sum, n) => sum + n, 0)
  const unnamed = Object.values(frames.unnamed).reduce((sum, n) => sum + n, 0)
  const cost = capture.durationNs > 0 ? (overhead.cpuNs / capture.durationNs) * 100 : 0
  const share = (part: number, whole: number): string => spelled(percentText(part, whole), style)
  const named = (frames.named / Math.max(1, frames.named + unnamed)) * samples.kept
  return ` ${[
    `${grouped(lost)} lost`,
    `complete ${share(stacks.complete, samples.kept)}`,
    `named ${share(named, samples.kept)}`,
    `cost ${cost.toFixed(1)}% of a core, ${byteSize(overhead.rssBytes)}`,
  ].join(dot)}`
}

/** Columns by width: what tells least goes first. */
interface Layout {
  readonly total: boolean
  readonly cpu: boolean
  readonly spark: number
  readonly process: number
  readonly name: number
  readonly file: number
}

const SHARE = 12
const CPU = 6

function layoutOf(columns: number): Layout {
  const total = columns >= 44
  const cpu = columns >= 52
  const spark = columns >= 100 ? 20 : columns >= 70 ? 10 : 0
  const process = columns >= 84 ? 15 : 0
  const taken =
    2 +
    SHARE +
    1 +
    (total ? 8 : 0) +
    (cpu ? CPU + 1 : 0) +
    (spark + (spark > 0 ? 4 : 0)) +
    (process + (process > 0 ? 2 : 0))
  const left = Math.max(1, columns - taken)
  const file = left >= 60 ? Math.floor(left * 0.4) : 0
  return { total, cpu, spark, process, name: left - (file > 0 ? file + 2 : 0), file }
}

function listLines(screen: Screen, room: number, columns: number, style: Style): string[] {
  const { state, data } = screen
  const layout = layoutOf(columns)
  const keys = data.rows.map(({ key }) => key)
  const selected = selectedIndex(state, keys)
  const from = Math.max(0, Math.min(selected - Math.floor(room / 2), data.rows.length - room))
  const rows = data.rows.slice(from, from + room)
  const lines = rows.map((row, i) => rowLine(row, screen, layout, style, from + i === selected))
  if (lines.length === 0) lines.push(clip(emptyText(screen), columns, style))
  return [style.paint('dim', headsLine(state, layout, columns, style)), ...lines]
}

function emptyText({ state, data }: Screen): string {
  if (state.filter !== '') return `  no function or process matches "${clean(state.filter)}"; Esc clears`
  return data.capture === null ? '' : '  no samples: the target used no CPU'
}

function headsLine({ sort }: TopState, layout: Layout, columns: number, style: Style): string {
  const arrow = style.unicode ? '▾' : 'v'
  const head = (name: SortColumn): string => (sort === name ? `${name} ${arrow}` : name)
  const cells = [fit(`  ${head('self')}`.padStart(8), SHARE + 3, style)]
  if (layout.total) cells.push(`${head('total')}`.padStart(7), ' ')
  if (layout.cpu) cells.push('cores'.padStart(CPU), ' ')
  if (layout.spark > 0) cells.push('  ', fit(`${sort}, ${HISTORY_WINDOWS} s`, layout.spark, style))
  if (layout.spark > 0) cells.push('  ')
  if (layout.process > 0) cells.push(fit('process', layout.process, style), '  ')
  return clip(
    `${cells.join('')}${fit('function', layout.name, style)}${layout.file > 0 ? '  where' : ''}`,
    columns,
    style,
  ).trimEnd()
}

function rowLine(row: TopRow, screen: Screen, layout: Layout, style: Style, isSelected: boolean): string {
  const { data, state, past } = screen
  const share = spelled(percentText(row.self, data.samples), style)
  const marker = isSelected ? '> ' : '  '
  const self = fit(' '.repeat(Math.max(0, 6 - share.indexOf('%') - 1)) + share, SHARE + 1, style)
  const total = layout.total ? `${percentOf(row.total, data.samples)} ` : ''
  const cores = layout.cpu ? `${coresText(row[state.sort], data)} ` : ''
  const spark = layout.spark > 0 ? `  ${sparkline(past(row.key, state.sort), layout.spark, style)}  ` : ''
  const process = layout.process > 0 ? `${fit(processText(row), layout.process, style)}  ` : ''
  const name = fit(spelled(clean(narrowName(row.name, layout.name)), style), layout.name, style)
  const file = layout.file > 0 ? `  ${lastParts(clean(row.file), layout.file, style)}` : ''
  const plain = `${marker}${self}${total}${cores}`
  if (isSelected) return style.paint('inverse', `${plain}${spark}${process}${name}${file}`.trimEnd())
  return `${plain}${style.paint('green', spark)}${process}${name}${style.paint('dim', file)}`.trimEnd()
}

function percentOf(part: number, whole: number): string {
  return `${(whole > 0 ? (part / whole) * 100 : 0).toFixed(1)}%`.padStart(7)
}

function coresText(samples: number, { capture, seconds }: TopData): string {
  const cores = capture !== null && seconds > 0 ? samples / capture.rateHz / seconds : 0
  return cores.toFixed(2).padStart(CPU)
}

function processText({ process, otherProcesses }: TopRow): string {
  return otherProcesses === 0 ? clean(process) : `${clean(process)} +${otherProcesses}`
}

const LEVELS = { unicode: ' ▁▂▃▄▅▆▇█', ascii: ' .:-=+*%#' } as const

/** `counts` in `width` cells, each the sum of its part, the highest cell full; what is not nothing is seen. */
export function sparkline(counts: readonly number[], width: number, style: Style): string {
  const per = counts.length / width
  const cells = Array.from({ length: width }, (_, i) =>
    counts.slice(Math.round(i * per), Math.round((i + 1) * per)).reduce((sum, n) => sum + n, 0),
  )
  const most = Math.max(...cells)
  const levels = style.unicode ? LEVELS.unicode : LEVELS.ascii
  return cells.map((n) => levels[n === 0 ? 0 : Math.max(1, Math.round((n / most) * 8))]).join('')
}

function footLine({ state, data }: Screen, size: Size, style: Style): string {
  if (state.mode === 'filter')
    return clip(`/${clean(state.filter)}${style.unicode ? '▏' : '_'}`, size.columns, style)
  const filter = state.filter === '' ? '' : ` filter "${clean(state.filter)}" (Esc clears) `
  const keys =
    state.mode === 'list'
      ? `q quit  enter callers  s/t sort  / filter  p pause  w ${state.span} s  ? help`
      : 'esc back  q list  ctrl-c quit'
  const count = state.mode === 'list' ? ` ${grouped(data.rows.length)} functions ` : ' '
  return style.paint('dim', clip(`${count}${filter} ${keys}`, size.columns, style))
}

/** Text of ours where the terminal has only ASCII. */
function spelled(text: string, style: Style): string {
  return style.unicode ? text : text.replaceAll('±', '+-').replaceAll('…', '~')
}

/** As many of a path's last parts as fit. */
function lastParts(path: string, width: number, style: Style): string {
  let rest = path
  while (Array.from(rest).length > width && rest.includes('/')) rest = rest.slice(rest.indexOf('/') + 1)
  return clip(rest, width, style)
}
