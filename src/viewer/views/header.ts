/** The first line of the page: what was profiled, how, how good it is, and the buttons. */
import type { Opened, QualityFigure } from '../../view/protocol.ts'
import { clipped } from '../data/shares.ts'
import { button, element, shape } from './dom.ts'
import { openPanel } from './popover.ts'

/** What the buttons do; `at` is the button. */
export interface HeaderActions {
  compare(): void
  export(at: Element): void
  toggleTheme(): void
  help(): void
  notes(): void
  /** Shows only the stacks that a figure of the quality is about. */
  isolate(): void
}

/** The header of an open profile. */
export function headerView(opened: Opened, actions: HeaderActions): HTMLElement {
  const what = element(
    'div',
    { class: 'what' },
    element('strong', { title: clipped(opened.name) }, clipped(opened.name, 200)),
    element('span', { class: 'muted' }, opened.facts.join(' · ')),
  )
  const pills = element('ul', { class: 'pills', 'aria-label': 'Quality of the profile' })
  pills.append(...opened.quality.map((figure) => element('li', {}, pill(figure, actions))))
  return element('header', { class: 'top' }, brand(), what, pills, buttons(opened, actions))
}

function buttons(opened: Opened, actions: HeaderActions): HTMLElement {
  const made = element('div', { class: 'buttons' })
  const notes = opened.notes.length
  if (notes > 0) {
    const title = 'What the profiler has to say about this profile'
    made.append(
      button(notes === 1 ? '1 note' : `${notes} notes`, { class: 'control warn', title }, actions.notes),
    )
  }
  const compare = { class: 'control compare', title: 'Compare with another profile, label or time (d)' }
  const menu = {
    class: 'control export',
    'aria-haspopup': 'dialog',
    title: 'Save as pprof, folded, SVG and others',
  }
  const theme = {
    class: 'control square theme',
    'aria-label': 'Switch between light and dark',
    title: 'Light or dark',
  }
  const help = { class: 'control square', 'aria-label': 'Keys and notices', title: 'Keys and notices (?)' }
  const download = button('Export ▾', menu, () => actions.export(download))
  made.append(
    button('Compare…', compare, actions.compare),
    download,
    button('◐', theme, actions.toggleTheme),
    button('?', help, actions.help),
  )
  return made
}

function pill(figure: QualityFigure, actions: HeaderActions): HTMLElement {
  const tone =
    figure.tone === 'none' ? null : element('i', { class: `dot ${figure.tone}`, 'aria-hidden': 'true' })
  const made = button('', { class: 'pill', title: figure.meaning, 'aria-haspopup': 'dialog' }, () =>
    openFigure(made, figure, actions),
  )
  made.append(...(tone === null ? [] : [tone]), element('b', {}, figure.value), ` ${figure.label}`)
  return made
}

/** What a figure means, what to do about it, and the stacks it is about. */
function openFigure(anchor: Element, figure: QualityFigure, actions: HeaderActions): void {
  const title = element('h2', { id: 'figure-title' }, `${figure.value} ${figure.label}`)
  const content: HTMLElement[] = [title, element('p', {}, figure.meaning)]
  if (figure.fix !== '') content.push(element('p', { class: 'fix' }, ...fixWords(figure.fix)))
  const close = (): void => panel.hidePopover()
  const row = element('div', { class: 'panel-buttons' })
  if (figure.isolates)
    row.append(
      button('Show only these stacks', { class: 'control primary' }, () => {
        close()
        actions.isolate()
      }),
    )
  row.append(button('Close', { class: 'control' }, close))
  content.push(row)
  const panel = openPanel(
    anchor,
    { class: 'panel', role: 'dialog', 'aria-labelledby': 'figure-title' },
    ...content,
  )
  row.querySelector('button')?.focus()
}

/** Where nothing is wrong there is nothing to do. */
function fixWords(fix: string): (HTMLElement | string)[] {
  const [, good, rest] = /^(nothing is wrong)(.*)$/s.exec(fix) ?? []
  if (good === undefined) return [element('b', {}, 'To do: '), fix]
  return [element('b', {}, good[0]!.toUpperCase() + good.slice(1)), rest!]
}

function brand(): HTMLElement {
  const logo = shape('svg', { viewBox: '0 0 16 16', width: '16', height: '16', 'aria-hidden': 'true' })
  logo.append(
    shape('rect', { x: '1', y: '12.5', width: '14', height: '3', rx: '1' }),
    shape('rect', { x: '3', y: '8.5', width: '10', height: '3', rx: '1' }),
    shape('rect', { x: '5', y: '4.5', width: '6', height: '3', rx: '1' }),
    shape('rect', { x: '6.5', y: '0.5', width: '3', height: '3', rx: '1' }),
  )
  const made = element('h1', { class: 'brand' })
  made.append(logo, element('span', {}, 'Emberscope'))
  return made
}
