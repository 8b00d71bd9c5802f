/** The line above the graph: the zoom path as links, and what the colours mean. */

import { nodeName } from '../../model/frame-label.ts'
import { shortName } from '../../model/short-name.ts'
import { pathTo, type Zoom } from '../../model/zoom.ts'
import { whole } from '../data/numbers.ts'
import type { ViewModel } from '../data/view-model.ts'
import { button, element } from './dom.ts'

const LEGEND_ENTRIES = 5
const FIRST_CRUMBS = 2
const LAST_CRUMBS = 3

/** The path of a zoom; `go` is called with the node of a crumb. */
export function breadcrumbs(model: ViewModel, zoom: Zoom, go: (node: number) => void): HTMLElement {
  const path = pathTo(model.tree, zoom.node)
  const list = element('ol', {})
  path.forEach((node, i) => {
    const fromEnd = path.length - 1 - i
    if (i >= FIRST_CRUMBS && fromEnd >= LAST_CRUMBS) {
      if (i === FIRST_CRUMBS)
        list.append(
          element('li', { class: 'muted skipped' }, `⋯ ${whole(path.length - FIRST_CRUMBS - LAST_CRUMBS)}`),
        )
      return
    }
    const name = nodeName(model.tree, node)
    const isHere = fromEnd === 0 && zoom.members === null
    const attributes = { class: 'crumb', title: name, 'aria-current': isHere ? 'location' : null }
    list.append(
      element(
        'li',
        {},
        button(shortName(name), attributes, () => go(node)),
      ),
    )
  })
  if (zoom.members !== null) {
    list.append(element('li', {}, element('b', { class: 'crumb' }, `+${whole(zoom.members.length)} small`)))
  }
  return element('nav', { class: 'crumbs', 'aria-label': 'Zoom path' }, list)
}

/** The heaviest colour groups. */
export function legend(model: ViewModel): HTMLElement {
  const groups = model.colours.groups.filter((group) => group.value > 0 && !group.isFunction)
  const list = element('ul', { class: 'legend', 'aria-label': 'Colours' })
  if (groups.length < 2) return list
  for (const group of groups.slice(0, LEGEND_ENTRIES)) {
    const isKernel = group.name === 'kernel'
    const swatch = element('i', { class: isKernel ? 'swatch kernel' : 'swatch', 'aria-hidden': 'true' })
    swatch.style.setProperty('--hue', String(group.hue))
    list.append(
      element(
        'li',
        { title: group.name },
        swatch,
        element('span', {}, isKernel ? 'kernel (hatched)' : group.name),
      ),
    )
  }
  const more = groups.length - LEGEND_ENTRIES
  if (more > 0) list.append(element('li', { class: 'muted' }, `+${whole(more)} more`))
  return list
}
