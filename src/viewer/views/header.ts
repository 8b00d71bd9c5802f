/** The first line of the page: what was profiled, how, how good it is, and the three buttons. */
import { baseName } from '../../model/frame-name.ts'
import type { Profile } from '../../model/profile.ts'
import { duration, whole } from '../data/numbers.ts'
import { type QualityFigure, qualityFigures } from '../data/quality.ts'
import type { ViewModel } from '../data/view-model.ts'
import { button, element, shape } from './dom.ts'

/** What the buttons do. */
export interface HeaderActions {
  download(): void
  toggleTheme(): void
  help(): void
  notes(): void
}

/** The header of a model. */
export function headerView(model: ViewModel, actions: HeaderActions): HTMLElement {
  const { profile } = model.tree
  const notes = profile.capture?.notes.length ?? 0
  const pills = element('ul', { class: 'pills', 'aria-label': 'Quality of the profile' })
  pills.append(...qualityFigures(model.tree).map(pill))
  if (profile.capture === null)
    pills.append(element('li', { class: 'pill muted' }, 'loss and cost not recorded'))
  const what = element(
    'div',
    { class: 'what' },
    element('strong', {}, targetName(profile)),
    element('span', { class: 'muted' }, facts(model).join(' · ')),
  )
  const buttons = element('div', { class: 'buttons' })
  if (notes > 0) {
    const label = notes === 1 ? '1 note' : `${notes} notes`
    buttons.append(
      button(
        label,
        { class: 'control warn', title: 'What the profiler has to say about this profile' },
        actions.notes,
      ),
    )
  }
  buttons.append(
    button(
      'Download pprof',
      { class: 'control download', title: 'Save the profile as profile.pb.gz' },
      actions.download,
    ),
    button(
      '◐',
      { class: 'control square', 'aria-label': 'Switch between light and dark', title: 'Light or dark' },
      actions.toggleTheme,
    ),
    button(
      '?',
      { class: 'control square', 'aria-label': 'Keys and notices', title: 'Keys and notices' },
      actions.help,
    ),
  )
  return element('header', { class: 'top' }, brand(), what, pills, buttons)
}

/** Name of what was profiled, as well as the profile knows it. */
export function targetName(profile: Profile): string {
  const { target, host } = profile.capture ?? {}
  // Of a whole host, which host it is says more than that it is whole.
  if (target?.kind === 'all' && host?.name) return host.name
  if (target?.name) return target.name
  return baseName(profile.mappings[0]?.fileName ?? '') || 'profile'
}

function facts(model: ViewModel): string[] {
  const { profile } = model.tree
  const { capture } = profile
  const parts: string[] = []
  if (capture !== null) {
    const { pids } = capture.target
    if (pids.length === 1) parts.push(`pid ${pids[0]}`)
    else if (pids.length > 1) parts.push(`${whole(pids.length)} processes`)
  }
  const seconds = (capture?.durationNs ?? Number(profile.durationNs)) / 1e9
  if (seconds > 0) parts.push(duration(seconds))
  if (capture !== null) parts.push(`${whole(capture.rateHz)}\u202fHz`)
  const cpu = profile.sampleTypes.findIndex((type) => type.type === 'cpu' && type.unit === 'nanoseconds')
  if (cpu >= 0 && seconds > 0) {
    parts.push(`${(sumOf(profile.samples.values[cpu]!) / 1e9 / seconds).toFixed(2)}\u202fcores`)
  }
  if (model.samples !== null) parts.push(`${whole(model.samples)} samples`)
  return parts
}

function sumOf(values: Float64Array): number {
  let sum = 0
  for (let row = 0; row < values.length; row++) sum += values[row]!
  return sum
}

function pill(figure: QualityFigure): HTMLElement {
  const tone =
    figure.isGood === null
      ? null
      : element('i', { class: figure.isGood ? 'dot ok' : 'dot bad', 'aria-hidden': 'true' })
  const value = element('b', {}, figure.value)
  return element('li', { class: 'pill', title: figure.meaning }, tone, value, ` ${figure.label}`)
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
  made.append(logo, 'Emberscope')
  return made
}
