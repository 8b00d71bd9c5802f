/** The choice between the value columns of a profile, where it matters: heap profiles have four that differ. */
import type { Profile } from '../../model/profile.ts'
import { element } from './dom.ts'

/** A drop-down of the columns, or null when all of them draw the same graph. */
export function columnChoice(profile: Profile, choose: (column: number) => void): HTMLElement | null {
  if (profile.sampleTypes.length < 2 || areProportional(profile.samples.values)) return null
  const select = element('select', { class: 'control', 'aria-label': 'What the width shows' })
  profile.sampleTypes.forEach(({ type, unit }, i) => {
    const words = `${type.replaceAll('_', ' ')} (${unit})`
    const isChosen = i === profile.defaultSampleType
    select.append(element('option', { value: String(i), selected: isChosen ? '' : null }, words))
  })
  select.addEventListener('change', () => choose(Number(select.value)))
  return select
}

/** Samples and the CPU time they stand for are one column in two units. */
function areProportional(columns: readonly Float64Array[]): boolean {
  const first = columns[0]!
  const at = first.findIndex((value) => value !== 0)
  for (const column of columns.slice(1)) {
    const scale = at < 0 ? 0 : column[at]! / first[at]!
    for (let row = 0; row < column.length; row++) if (column[row] !== first[row]! * scale) return false
  }
  return true
}
