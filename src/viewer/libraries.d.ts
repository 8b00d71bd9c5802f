/** The parts of untyped libraries that the page uses. d3-flame-graph 5 ships no types; d3-selection's are not needed whole. */

declare module '*.css'

declare module 'd3-selection' {
  export const selection: { prototype: object }
  export interface Selection {
    datum(data: unknown): Selection
  }
  export function select(element: Element | null): Selection
}

declare module 'd3-flame-graph' {
  import type { Selection } from 'd3-selection'

  /** A laid out frame: a node of d3-hierarchy around the data that was passed in. */
  export interface LaidOut<Data> {
    readonly data: Data
    readonly depth: number
    readonly parent: LaidOut<Data> | null
    readonly children?: LaidOut<Data>[]
    readonly x0: number
    readonly x1: number
  }

  export interface FlameChart<Data> {
    (selection: Selection): void
    update(data: Data): this
    width(px: number): this
    cellHeight(px: number): this
    minFrameSize(px: number): this
    transitionDuration(ms: number): this
    inverted(on: boolean): this
    resetHeightOnZoom(on: boolean): this
    sort(on: boolean): this
    tooltip(tip: unknown): this
    setLabelHandler(label: (frame: LaidOut<Data>) => string): this
    setDetailsHandler(show: () => void): this
    setColorMapper(colour: (frame: LaidOut<Data>, original: string) => string): this
  }

  export default function flamegraph<Data>(): FlameChart<Data>
}
