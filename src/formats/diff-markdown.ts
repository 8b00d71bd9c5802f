/** A comparison as Markdown, for the summary of a CI job or a comment on a change. Names are shown, never interpreted. */
import type { DiffChange } from '../stats/diff-ranking.ts'
import type { SideTotal } from '../stats/diff-table.ts'
import { errorText, pText } from '../stats/diff-text.ts'
import { quantityText } from '../stats/quantity-text.ts'
import type { DiffReport } from './diff-report.ts'

/** Rows of each table; a comment is read by people. */
const ROWS = 20

/** The document, with a line feed at its end. */
export function diffMarkdown(report: DiffReport): string {
  const { ranking, gate } = report
  const lines = [`### ${escaped(report.verdict)}`, '', ...sidesTable(report), '']
  if (gate !== null) lines.push(gateText(report), '')
  if (ranking.significant.length > 0) lines.push(...changesTable(report), '')
  for (const note of report.notes) lines.push(`- ${escaped(note)}`)
  return `${lines.join('\n').trimEnd()}\n`
}

function sidesTable({ files, table, column }: DiffReport): string[] {
  const row = (word: string, file: string, { samples, value, seconds }: SideTotal): string => {
    const perSecond = seconds > 0 ? `${quantityText(value / seconds, column.unit)}/s` : ''
    const cells = [
      `**${word}**`,
      code(file),
      samples === null ? 'unknown' : String(samples),
      quantityText(value, column.unit),
      perSecond,
    ]
    return `| ${cells.join(' | ')} |`
  }
  return [
    `| | file | samples | ${escaped(column.type)} | per second |`,
    '|---|---|--:|--:|--:|',
    row('before', files.before, table.before),
    row('after', files.after, table.after),
  ]
}

function gateText({ gate, table }: DiffReport): string {
  const { points, failed } = gate!
  const limit = `a total share that grew by ${points} points or more`
  if (failed.length === 0) return `✅ No function has ${limit}.`
  const names = failed.slice(0, ROWS).map(({ fn }) => code(table.functions.name[fn]!))
  return `❌ ${failed.length} ${failed.length === 1 ? 'function has' : 'functions have'} ${limit}: ${names.join(', ')}`
}

function changesTable(report: DiffReport): string[] {
  const { words } = report
  const { significant } = report.ranking
  const rows = significant.slice(0, ROWS).map((change) => changeRow(report, change))
  const rest = significant.length - rows.length
  return [
    `| function | change${words.unit === '' ? '' : `, ${words.unit}`} | before | after | of | p |`,
    '|---|--:|--:|--:|---|--:|',
    ...rows,
    ...(rest > 0 ? ['', `and ${rest} more`] : []),
  ]
}

const WORDS: Readonly<Record<string, string>> = { new: ' (new)', gone: ' (gone)' }

function changeRow({ table, words }: DiffReport, change: DiffChange): string {
  const { name, file } = table.functions
  const where = file[change.fn] === '' ? '' : ` ${code(file[change.fn]!)}`
  const cells = [
    `**${code(name[change.fn]!)}**${where}${WORDS[change.verdict] ?? ''}`,
    `**${words.change(change.change)}** ${errorText(change, words)}`,
    words.value(change.before),
    words.value(change.after),
    change.measure,
    pText(change.adjustedP).replace('p = ', '').replace('p < ', '&lt; '),
  ]
  return `| ${cells.join(' | ')} |`
}

/** Longest name that is shown whole. */
const NAME_LENGTH = 120

function code(text: string): string {
  const short = text.length > NAME_LENGTH ? `${text.slice(0, NAME_LENGTH - 1)}…` : text
  return `<code>${escaped(short)}</code>`
}

/** Everything that Markdown, HTML or a table could take for its own becomes a character reference. */
function escaped(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, '?')
    .replace(/[&<>"'|`*_~[\]\\@#!]/g, (char) => `&#${char.charCodeAt(0)};`)
}
