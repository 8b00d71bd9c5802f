/** What each key does to the page. */
import type { App } from './app.ts'
import type { Screen } from './screen.ts'
import * as change from './state/change.ts'
import type { KeyActions } from './views/keys.ts'

const SIDES = ['before', 'diff', 'after'] as const

/** The actions behind the keys of a page. */
export function pageKeys(app: App, screen: Screen): KeyActions {
  return {
    move: (way) => screen.graph.moveFocus(way),
    zoomFocused: () => {
      const focused = screen.graph.focused()
      if (focused !== null) app.zooming.press(focused.datum, focused.isCallers)
    },
    out: () => app.zooming.out(),
    escape: () => app.escape(),
    reset: () => app.zooming.unzoom(),
    search: () => screen.search.focus(),
    step: (direction) => void app.walk.step(direction),
    view: (view) => {
      app.go(change.inView(app.state, app.state.view === view ? 'flame' : view))
      if (app.state.view === 'table') screen.table.focus()
    },
    sandwich: () => {
      const key = app.functions.subject()?.subject.key ?? ''
      const heaviest = app.reading.listed?.table.rows[0]?.key ?? ''
      app.zooming.pivot(key || app.state.pivot || heaviest)
    },
    details: () => {
      const fn = app.functions.subject()?.subject.fn ?? -1
      if (screen.drawer.isOpen && fn < 0) screen.drawer.close()
      else void app.functions.openDetails(fn)
    },
    menu: () => {
      const found = app.functions.subject()
      if (found !== null) app.functions.openMenuOf(found.subject, found.at)
    },
    filter: (key) => app.functions.filterSubject(key),
    undo: () => app.undo(),
    compare: () => nextSide(app),
    heatmap: () => app.go({ ...app.state, heatmap: !app.state.heatmap }),
    copyName: () => {
      const found = app.functions.subject()
      if (found !== null) void app.functions.copy(found.subject.name, 'name')
    },
    help: () => app.help(),
    pause: () => app.pause(),
  }
}

function nextSide(app: App): void {
  const { compare } = app.state
  if (compare === null) return void app.sides.compare()
  const side = SIDES[(SIDES.indexOf(compare.side) + 1) % SIDES.length]!
  app.go({ ...app.state, compare: { ...compare, side } })
}
