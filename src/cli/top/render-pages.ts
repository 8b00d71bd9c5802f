/** The pages of `profile top` that are no table of functions: one function's callers and callees, and the help. */
import { narrowName, shortName } from '../../model/short-name.ts'
import { percentText } from '../../stats/percent-text.ts'
import { bar, clean, clip, fit, type Style } from '../terminal.ts'
import type { FunctionDetail, Neighbour } from './function-detail.ts'

/** What the keys do. */
export const HELP_LINES: readonly string[] = [
  '  keys',
  '  up down j k       choose a function     page-up page-down g G   in larger steps',
  '  enter             its callers, its callees, the path most of its samples share',
  '  s t               sort by self, by total',
  '  /                 only functions, processes and files with a text; enter keeps it',
  '  esc               back; in the list: clears the filter',
  '  p space           pause and go on; sampling continues meanwhile',
  '  w                 figures of the last 1, 10 or 60 seconds',
  '  q ctrl-c          quit',
  '',
  '  self   share of the samples in the function itself, with its 95 % interval',
  '  total  share of the samples in it or in what it calls',
  '  cores  CPUs kept busy by the column that is sorted by',
]

const SHARE = 14
const BAR = 10

/** The page of a function; `samples` is everything that is shown, which shares are of. */
export function detailLines(
  detail: FunctionDetail,
  samples: number,
  size: { readonly columns: number; readonly rows: number },
  style: Style,
): string[] {
  const { self, total, path, at } = detail
  const { columns } = size
  const ascii = (text: string): string =>
    style.unicode ? text : text.replaceAll('±', '+-').replaceAll('…', '~')
  const title = ` ${ascii(clean(narrowName(path[at] ?? '', columns - 2)))}`
  const figures = ` self ${percentText(self, samples)}   total ${percentText(total, samples)}`
  const head = [
    style.paint('bold', clip(title, columns, style)),
    clip(ascii(figures), columns, style),
    ...pathLines(detail, columns, style),
    '',
  ]
  const own: Neighbour[] = self > 0 ? [{ name: 'itself', samples: self }] : []
  const callees = [...own, ...detail.callees].sort((a, b) => b.samples - a.samples)
  const callers = detail.callers.map(({ name, samples: count }) => ({
    name: name === '' ? 'nobody: stacks begin here' : name,
    samples: count,
  }))
  const room = Math.max(2, size.rows - head.length - 1)
  const upper = Math.min(callers.length, Math.max(1, Math.floor(room / 3)))
  const block = (word: string, list: readonly Neighbour[], rows: number): string[] => [
    style.paint('dim', clip(` ${word} (share of its samples)`, columns, style)),
    ...list.slice(0, rows).map((neighbour) => neighbourLine(neighbour, total, columns, style, ascii)),
  ]
  return [...head, ...block('called by', callers, upper), ...block('time goes to', callees, room - upper - 1)]
}

function neighbourLine(
  { name, samples }: Neighbour,
  total: number,
  columns: number,
  style: Style,
  ascii: (text: string) => string,
): string {
  const share = ascii(percentText(samples, total))
  const lead = fit(' '.repeat(Math.max(0, 6 - share.indexOf('%'))) + share, SHARE + 2, style)
  const drawn = columns >= 60 ? `${fit(bar(samples / Math.max(1, total), BAR, style), BAR, style)}  ` : ''
  const width = Math.max(1, columns - SHARE - 2 - drawn.length)
  return `${lead}${style.paint('green', drawn)}${clip(ascii(clean(narrowName(name, width))), width, style)}`
}

/** The path around the function: names go from the far ends until it fits. */
function pathLines({ path, at, isPathCut }: FunctionDetail, columns: number, style: Style): string[] {
  const arrow = style.unicode ? ' › ' : ' > '
  let [from, to] = [0, path.length]
  const text = (): string => {
    const names = path.slice(from, to).map((name, i) => {
      const short = clean(shortName(name))
      return from + i === at ? `[${short}]` : short
    })
    const more = style.unicode ? '…' : '..'
    return ` hottest path: ${[...(from > 0 || isPathCut ? [more] : []), ...names, ...(to < path.length ? [more] : [])].join(arrow)}`
  }
  while (Array.from(text()).length > columns && to - from > 1) {
    if (at - from >= to - 1 - at && from < at) from++
    else to--
  }
  return [clip(text(), columns, style)]
}
