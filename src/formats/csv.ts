/**
 * The table of functions as CSV (RFC 4180): name, file, self and total with their shares and intervals, most self first.
 *
 * A cell that a spreadsheet would run as a formula begins with an apostrophe instead: a function may be called
 * `=cmd()`. Numbers are plain, with a point; a share has its unit in the head of the column.
 */
import type { Profile } from '../model/profile.ts'
import { independentSamples } from '../model/sample-count.ts'
import { topFunctions } from '../model/top.ts'
import { wilson } from '../stats/interval.ts'

/** A line of the table, weights in the unit of the column. */
export interface CsvRow {
  readonly name: string
  readonly file: string
  readonly self: number
  readonly total: number
}

/** What shares are of, and how many independent samples are behind it (null: nobody knows). */
export interface CsvWhole {
  readonly value: number
  readonly samples: number | null
  readonly unit: string
}

/** The functions of a whole profile. Shape: as `csvLines`. */
export function writeCsv(profile: Profile): Iterable<string> {
  const column = profile.defaultSampleType
  const unit = profile.sampleTypes[column]?.unit ?? ''
  const whole = { value: sumOf(profile, column), samples: independentSamples(profile, column), unit }
  return csvLines(topFunctions(profile, column), whole)
}

/** The lines, each with its line end (CR LF), the head of the columns first. */
export function* csvLines(rows: Iterable<CsvRow>, { value, samples, unit }: CsvWhole): Iterable<string> {
  const amount = (name: string): string => (unit === '' ? name : `${name} (${unit})`)
  const shares = (name: string): string[] => [amount(name), `${name} %`, `${name} ± points`]
  yield row(['function', 'file', ...shares('self'), ...shares('total')])
  for (const { name, file, self, total } of rows) {
    yield row([text(name), text(file), ...figures(self, value, samples), ...figures(total, value, samples)])
  }
}

function sumOf(profile: Profile, column: number): number {
  const values = profile.samples.values[column] ?? new Float64Array(0)
  return values.reduce((sum, value) => sum + value, 0)
}

/** Value, share in percent, and how far the truth may be from it; the latter is empty where nobody knows. */
function figures(value: number, all: number, samples: number | null): string[] {
  const share = all > 0 ? value / all : 0
  const shown = (share * 100).toFixed(3)
  if (samples === null || samples <= 0 || share < 0 || share > 1) return [String(value), shown, '']
  const { low, high } = wilson(share * samples, samples)
  return [String(value), shown, (Math.max(high - share, share - low) * 100).toFixed(3)]
}

/** What begins a formula somewhere, or hides that it does. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/

function text(value: string): string {
  // Control characters have no place in a cell; line breaks would be legal, and break every simple reader.
  const clean = value.replace(/[\r\n]+/g, ' ').replace(/\p{Cc}/gu, '?')
  return FORMULA.test(value) || FORMULA.test(clean) ? `'${clean}` : clean
}

function row(cells: readonly string[]): string {
  return `${cells.map(quoted).join(',')}\r\n`
}

function quoted(cell: string): string {
  return /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}
