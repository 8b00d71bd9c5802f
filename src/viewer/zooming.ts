/** Where the reader goes in the graph: into a frame, out again, to the function a sandwich is about. */
import type { Zoom } from '../view/state.ts'
import type { App } from './app.ts'
import * as change from './state/change.ts'
import { type FlameDatum, zoomOf } from './views/flame-datum.ts'

/** Ways in and out of the graph of a page. */
export class Zooming {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** A press on a frame. */
  press(datum: FlameDatum, isCallers: boolean): void {
    if (this.#app.state.view === 'sandwich') return void this.#pressSandwich(datum, isCallers)
    const zoom = zoomOf(datum, this.#app.state.zoom.path)
    if (zoom !== null) this.zoom(zoom)
  }

  /** In a sandwich a press makes another function the filling; a box shows its members. */
  #pressSandwich(datum: FlameDatum, isCallers: boolean): void {
    const subject = this.#app.reading.subjectOf(datum, isCallers)
    const { shown } = this.#app.reading
    const zoom = zoomOf(datum, (isCallers ? shown?.callers : shown?.drawing)?.path ?? [])
    if (subject !== null && subject.query !== '') this.pivot(subject.key)
    else if (datum.row?.box != null && zoom !== null) this.zoom(zoom, isCallers ? 'callersZoom' : 'zoom')
  }

  /** Into a frame or the members of a box. */
  zoom(zoom: Zoom, half: change.Half = 'zoom'): void {
    const { path, ranks } = this.#app.state[half]
    const isSame = path.join('\n') === zoom.path.join('\n') && String(ranks) === String(zoom.ranks)
    if (isSame) return
    if (half === 'zoom') this.#keepFocus(zoom.path)
    this.#app.go(change.zoomed(this.#app.state, zoom, half))
  }

  /** One frame back towards the root. */
  out(): void {
    const half = change.zoomedHalf(this.#app.state)
    if (half === null) return
    if (half === 'zoom') this.#keepFocus(this.#app.state.zoom.path)
    this.#app.go(change.zoomedOut(this.#app.state))
  }

  /** Back to the root. */
  unzoom(): void {
    if (change.zoomedHalf(this.#app.state) !== null) this.#app.go(change.unzoomed(this.#app.state))
  }

  /** Where the focus is in the graph, it goes along. */
  #keepFocus(path: readonly string[]): void {
    const { screen, reading } = this.#app
    if (screen.graph.focused() !== null) reading.focusNext = path
  }

  /** Makes a function the filling of the sandwich. */
  pivot(key: string): void {
    this.#app.go(change.inView(this.#app.state, 'sandwich', key))
  }
}
