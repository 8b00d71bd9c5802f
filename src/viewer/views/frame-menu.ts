/** What can be done to a function, wherever it is shown: the context menu of frames and rows, and the keys for the same. */

import { shortName } from '../../model/short-name.ts'
import type { Chip } from '../../view/state.ts'
import { clipped } from '../data/shares.ts'
import type { MenuItem } from './menu.ts'

/** A function that a reader points at. */
export interface Subject {
  readonly name: string
  /** Names it as a pivot. */
  readonly key: string
  /** Its row of the function table, -1 for none. */
  readonly fn: number
  /** Queries for it and its library, '' where there is none. */
  readonly query: string
  readonly library: string
  /** From the root to the frame, for a frame of the graph; null for a row of the table. */
  readonly path: readonly string[] | null
}

/** What the menu does. */
export interface SubjectActions {
  zoom(path: readonly string[]): void
  pivot(key: string): void
  filter(chip: Chip): void
  details(subject: Subject): void
  copy(text: string, what: string): void
  /** The page's address with the present view. */
  link(): string
}

/** The filters of the menu with their keys: capital letters filter, small ones look. */
export const FILTER_KEYS = {
  H: { kind: 'hide', label: 'Hide' },
  O: { kind: 'only', label: 'Only stacks through it' },
  D: { kind: 'drop', label: 'Drop stacks through it' },
  M: { kind: 'merge', label: 'Merge into its caller' },
  C: { kind: 'collapse', label: 'Collapse its library' },
  F: { kind: 'from', label: 'Show from here' },
  R: { kind: 'focus', label: 'Make it the root' },
} as const

/** A key of FILTER_KEYS. */
export type FilterKey = keyof typeof FILTER_KEYS

/** The chip a filter makes of a subject, null where the subject has nothing for it. */
export function chipFor(key: FilterKey, subject: Subject): Chip | null {
  const { kind } = FILTER_KEYS[key]
  const text = kind === 'collapse' ? subject.library : subject.query
  return text === '' ? null : { kind, text }
}

/** Items of the menu of a subject. */
export function subjectMenu(subject: Subject, actions: SubjectActions): (MenuItem | null)[] {
  const { path, key, query } = subject
  const items: (MenuItem | null)[] = []
  if (path !== null) items.push({ label: 'Zoom', hint: 'Enter', run: () => actions.zoom(path) })
  if (query !== '') {
    items.push({ label: 'Focus on function', hint: 's', run: () => actions.pivot(key) })
    items.push({ label: 'Details', hint: 'o', run: () => actions.details(subject) }, null)
    for (const filter of Object.keys(FILTER_KEYS) as FilterKey[]) {
      const chip = chipFor(filter, subject)
      if (chip === null) continue
      items.push({ label: FILTER_KEYS[filter].label, hint: filter, run: () => actions.filter(chip) })
    }
    items.push(null)
  }
  items.push({ label: 'Copy name', hint: 'y', run: () => actions.copy(subject.name, 'name') })
  if (path !== null && path.length > 0)
    items.push({ label: 'Copy stack', run: () => actions.copy(path.join('\n'), 'stack') })
  items.push({ label: 'Copy link', run: () => actions.copy(actions.link(), 'link') })
  return items
}

/** Name of the menu for those who hear it. */
export function menuLabel(subject: Subject): string {
  return `What to do with ${shortName(clipped(subject.name, 80))}`
}
