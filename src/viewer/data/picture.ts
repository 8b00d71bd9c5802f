/** The graph as an SVG file of its own: the rows that are drawn, in the colours and patterns of the page, and nothing from outside. */

import { percent } from '../../view/numbers.ts'
import type { Drawing, DrawnRow, Shown } from '../../view/protocol.ts'
import type { ViewState } from '../../view/state.ts'
import { rowName } from '../views/flame-datum.ts'
import { changeClass } from '../views/flame-frames.ts'
import { labelThatFits } from '../views/flame-labels.ts'
import { layoutOf } from './layout.ts'
import { mixed, oklchHex } from './oklch.ts'
import { clipped, fractionOf, type Measure } from './shares.ts'

const ROW_PX = 20
const MARGIN_PX = 16
const TITLE_PX = 34
const MIN_LABEL_PX = 26
const MIN_FRAME_PX = 0.3

/** What is drawn, and how. */
export interface PictureInput {
  readonly title: string
  readonly shown: Shown
  readonly state: ViewState
  readonly measure: Measure
  readonly widthPx: number
  readonly isDark: boolean
}

/** A picture and its size in pixels. */
export interface Picture {
  readonly svg: string
  readonly widthPx: number
  readonly heightPx: number
}

interface Palette {
  readonly ground: string
  readonly text: string
  readonly muted: string
  readonly quiet: string
  readonly hatch: string
  readonly match: string
  readonly line: string
}

const LIGHT: Palette = {
  ground: '#fbfaf8',
  text: '#1d1b18',
  muted: '#6b655c',
  quiet: '#f3efe9',
  hatch: '#000000',
  match: '#1d4ed8',
  line: '#948b7f',
}
const DARK: Palette = {
  ground: '#161513',
  text: '#f4f1ec',
  muted: '#a49c90',
  quiet: '#2a2723',
  hatch: '#ffffff',
  match: '#7aa2ff',
  line: '#6f675c',
}

/** Draws what the page shows; a sandwich with both its halves. */
export function pictureOf(input: PictureInput): Picture {
  const { shown, state, widthPx, title } = input
  const palette = input.isDark ? DARK : LIGHT
  const halves: { drawing: Drawing; upward: boolean; skipsTop: boolean }[] = []
  if (shown.callers !== null) halves.push({ drawing: shown.callers, upward: true, skipsTop: false })
  const upward = state.view === 'flame' && state.upward
  halves.push({ drawing: shown.drawing, upward, skipsTop: shown.callers !== null })
  const parts: string[] = []
  let top = MARGIN_PX + TITLE_PX
  for (const half of halves) {
    const layout = layoutOf(half.drawing)
    const rowsHeight = (layout.deepest + (half.skipsTop ? 0 : 1)) * ROW_PX
    half.drawing.rows.forEach((row, i) => {
      if (half.skipsTop && i === 0) return
      const down = layout.depth[i]! - (half.skipsTop ? 1 : 0)
      const y = top + (half.upward ? rowsHeight - (down + 1) * ROW_PX : down * ROW_PX)
      const scale = (widthPx - 2 * MARGIN_PX) / (half.drawing.rows[0]!.value || 1)
      const box = { x: MARGIN_PX + layout.left[i]! * scale, y, width: row.value * scale }
      if (box.width >= MIN_FRAME_PX) parts.push(frame(row, box, input, palette))
    })
    top += rowsHeight
  }
  const heightPx = top + MARGIN_PX
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}" font-family="Inter, system-ui, 'DejaVu Sans', sans-serif" font-size="11.5">`,
    `<title>${escaped(title)}</title>`,
    patterns(palette),
    `<rect width="100%" height="100%" fill="${palette.ground}"/>`,
    `<text x="${MARGIN_PX}" y="${MARGIN_PX + 14}" font-size="14" font-weight="600" fill="${palette.text}">${escaped(clipped(title, 160))}</text>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
  return { svg, widthPx, heightPx }
}

/** Two patterns, laid over the frames' colours. */
function patterns({ hatch, muted }: Palette): string {
  return [
    '<defs>',
    `<pattern id="kernel" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="6" fill="${hatch}" fill-opacity="0.13"/></pattern>`,
    `<pattern id="box" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="1.5" height="5" fill="${muted}" fill-opacity="0.5"/></pattern>`,
    `<pattern id="jit" width="5" height="5" patternUnits="userSpaceOnUse"><circle cx="2.5" cy="2.5" r="1" fill="${hatch}" fill-opacity="0.16"/></pattern>`,
    '</defs>',
  ].join('')
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
}

function frame(row: DrawnRow, { x, y, width }: Box, input: PictureInput, palette: Palette): string {
  const shape = `x="${x.toFixed(2)}" y="${y}" width="${Math.max(0.2, width - (width > 3 ? 1 : 0)).toFixed(2)}" height="${ROW_PX - 1}" rx="2"`
  const isGhost = row.shape === 'ghost'
  const outline = isGhost
    ? ` stroke="${palette.line}" stroke-dasharray="3 2"`
    : row.found
      ? ` stroke="${palette.match}" stroke-width="2"`
      : ''
  const parts = [`<rect ${shape} fill="${isGhost ? 'none' : fillOf(row, input, palette)}"${outline}/>`]
  const pattern = patternOf(row)
  if (pattern !== '' && width > 7) parts.push(`<rect ${shape} fill="url(#${pattern})"/>`)
  if (row.inlined && width > 7)
    parts.push(
      `<path d="M${x.toFixed(2)} ${y + 0.5}h${(width - 1).toFixed(2)}" stroke="${palette.muted}" stroke-dasharray="4 4"/>`,
    )
  if (width >= MIN_LABEL_PX) parts.push(label(row, { x, y, width }, input, palette))
  const share = percent(fractionOf(input.measure, row.value))
  return `<g><title>${escaped(`${clipped(row.name)} ${share}`)}</title>${parts.join('')}</g>`
}

function label(row: DrawnRow, { x, y, width }: Box, { measure }: PictureInput, palette: Palette): string {
  const characters = Math.floor((width - 10) / 6.2)
  const fitting = labelThatFits(rowName(row, measure), width)
  const text = fitting.length > characters ? `${fitting.slice(0, Math.max(0, characters - 1))}…` : fitting
  const fill = row.box !== null || row.shape === 'ghost' ? palette.muted : palette.text
  return `<text x="${(x + 5).toFixed(2)}" y="${y + 14}" fill="${fill}">${escaped(text)}</text>`
}

function fillOf(row: DrawnRow, { state, isDark }: PictureInput, { quiet }: Palette): string {
  if (row.shape !== 'frame') return quiet
  if (state.compare?.side !== 'diff')
    return isDark ? oklchHex(0.42, 0.07, row.hue) : oklchHex(0.865, 0.072, row.hue)
  const change = changeClass(row)
  if (change === 'noise') return quiet
  const strength = Math.min(1, 0.25 + 0.75 * Math.sqrt(Math.abs(row.change!.share) / 0.1))
  const full =
    change === 'grew'
      ? isDark
        ? oklchHex(0.52, 0.13, 50)
        : oklchHex(0.78, 0.14, 58)
      : isDark
        ? oklchHex(0.46, 0.12, 255)
        : oklchHex(0.77, 0.1, 250)
  return mixed(quiet, full, strength)
}

function patternOf(row: DrawnRow): string {
  if (row.box !== null) return 'box'
  if (row.shape !== 'frame') return ''
  if (row.kind === 'kernel') return 'kernel'
  return row.kind === 'jit' || row.kind === 'interpreted' ? 'jit' : ''
}

/** Text for XML, without the characters that XML has no way to write. */
function escaped(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udfff]/gu, '\ufffd')
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

/** The picture as PNG, twice as fine as the screen. Errors: rejects when the browser cannot draw one that large. */
export async function pngOf({ svg, widthPx, heightPx }: Picture): Promise<Blob> {
  const image = new Image(widthPx, heightPx)
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`
  await image.decode()
  const scale = Math.min(2, MAX_SIDE_PX / widthPx, MAX_SIDE_PX / heightPx)
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(widthPx * scale)
  canvas.height = Math.round(heightPx * scale)
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (blob === null) throw new Error('the browser cannot draw a picture that large: save it as SVG')
  return blob
}

/** Browsers draw no larger canvas. */
const MAX_SIDE_PX = 16_000
