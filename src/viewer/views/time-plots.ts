/** The two pictures of time, on a canvas: strips of CPU stacked by a label, and the heatmap of sub-second offsets. */
import type { Band, Heat } from '../../view/protocol.ts'
import type { TimeRange } from '../../view/state.ts'

/** Colours of the page as they are now. */
interface Ink {
  readonly isDark: boolean
  readonly ground: string
  readonly selection: string
}

function ink(canvas: HTMLCanvasElement): Ink {
  const style = getComputedStyle(canvas)
  // The element's text colour is the selection's: custom properties do not resolve light-dark() for a script.
  return {
    isDark: isDarkTheme(),
    ground: style.backgroundColor,
    selection: style.color,
  }
}

/** True while the page is dark, by the reader's choice or the system's. */
export function isDarkTheme(): boolean {
  const chosen = document.documentElement.dataset.theme
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark'
}

/** A canvas of this many CSS pixels, sharp on any screen; null where the browser gives none. */
function prepare(
  canvas: HTMLCanvasElement,
  widthPx: number,
  heightPx: number,
): CanvasRenderingContext2D | null {
  const scale = devicePixelRatio || 1
  canvas.width = Math.round(widthPx * scale)
  canvas.height = Math.round(heightPx * scale)
  const context = canvas.getContext('2d')
  context?.scale(scale, scale)
  return context
}

/** Colour of a series in the strips and in their legend. */
export function seriesColour(hue: number, isDark: boolean): string {
  return isDark ? `oklch(0.5 0.09 ${hue})` : `oklch(0.82 0.095 ${hue})`
}

/** Sum of each bin, and the highest of them. */
export function binTops(band: Band): { readonly sums: Float64Array; readonly most: number } {
  const bins = band.series[0]?.values.length ?? 0
  const sums = new Float64Array(bins)
  for (const { values } of band.series) for (let b = 0; b < bins; b++) sums[b]! += Math.max(0, values[b]!)
  return { sums, most: sums.reduce((most, sum) => Math.max(most, sum), 0) }
}

/** Draws the strips. */
export function drawStrips(canvas: HTMLCanvasElement, band: Band, widthPx: number, heightPx: number): void {
  const context = prepare(canvas, widthPx, heightPx)
  const { sums, most } = binTops(band)
  if (context === null || most <= 0) return
  const { isDark } = ink(canvas)
  const binPx = widthPx / sums.length
  const gapPx = binPx >= 4 ? 1 : 0
  const base = new Float64Array(sums.length)
  for (const { hue, values } of band.series) {
    context.fillStyle = seriesColour(hue, isDark)
    for (let b = 0; b < sums.length; b++) {
      const height = (Math.max(0, values[b]!) / most) * heightPx
      if (height <= 0) continue
      context.fillRect(b * binPx, heightPx - base[b]! - height, Math.max(0.5, binPx - gapPx), height)
      base[b]! += height
    }
  }
}

/** Draws the heatmap; the cells of the ranges get a frame. */
export function drawHeat(
  canvas: HTMLCanvasElement,
  heat: Heat,
  size: { readonly widthPx: number; readonly heightPx: number },
  range: TimeRange | null,
): void {
  const { widthPx, heightPx } = size
  const context = prepare(canvas, widthPx, heightPx)
  if (context === null || heat.columns === 0 || heat.rows === 0) return
  const { isDark, selection } = ink(canvas)
  let most = 0
  for (const value of heat.values) most = Math.max(most, value)
  const [cellPx, rowPx] = [widthPx / heat.columns, heightPx / heat.rows]
  const cellNs = heat.columnNs / heat.rows
  for (let c = 0; c < heat.columns; c++) {
    for (let r = 0; r < heat.rows; r++) {
      const value = heat.values[c * heat.rows + r]!
      const startNs = heat.fromNs + c * heat.columnNs + r * cellNs
      const isChosen = range !== null && startNs >= range.fromNs - 0.5 && startNs + cellNs <= range.toNs + 0.5
      if (value <= 0 && !isChosen) continue
      context.fillStyle = isChosen && value <= 0 ? selection : heatColour(most > 0 ? value / most : 0, isDark)
      context.globalAlpha = isChosen && value <= 0 ? 0.15 : 1
      context.fillRect(c * cellPx, r * rowPx, Math.ceil(cellPx), Math.max(0.5, rowPx))
      if (!isChosen) continue
      context.globalAlpha = 0.35
      context.fillStyle = selection
      context.fillRect(c * cellPx, r * rowPx, Math.ceil(cellPx), Math.max(0.5, rowPx))
      context.globalAlpha = 1
    }
  }
}

/** From the ground to the accent; the root makes small values visible. */
function heatColour(share: number, isDark: boolean): string {
  const part = Math.sqrt(share)
  return isDark
    ? `oklch(${0.28 + 0.5 * part} ${0.03 + 0.13 * part} 55)`
    : `oklch(${0.95 - 0.4 * part} ${0.03 + 0.14 * part} 45)`
}

/** Time under a point of the heatmap: start of its cell, and the cell's length. */
export function heatTimeAt(
  heat: Heat,
  x: number,
  y: number,
): { readonly ns: number; readonly cellNs: number } {
  const column = Math.max(0, Math.min(heat.columns - 1, Math.floor(x * heat.columns)))
  const row = Math.max(0, Math.min(heat.rows - 1, Math.floor(y * heat.rows)))
  const cellNs = heat.columnNs / heat.rows
  return { ns: heat.fromNs + column * heat.columnNs + row * cellNs, cellNs }
}

/** Times to write below a band of that length: round steps, about `count` of them. */
export function axisTimes(fromNs: number, toNs: number, count: number): number[] {
  const rough = (toNs - fromNs) / Math.max(1, count)
  if (!(rough > 0) || !Number.isFinite(rough)) return []
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough)!
  const times: number[] = []
  for (let i = Math.ceil(fromNs / step); i * step <= toNs && times.length < 100; i++) times.push(i * step)
  return times
}
