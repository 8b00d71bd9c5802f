/**
 * How we speak in a terminal: colour, width, glyphs, and text of foreign origin made harmless. Decided once from
 * the environment and the stream; the rest asks a `Style`.
 */
import type { Environment } from './invoking-user.ts'
import type { TextOutput } from './world.ts'

const COLOURS = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', inverse: '7' } as const
export type Colour = keyof typeof COLOURS

/** Widest line we print even on a wider terminal, and what is assumed without one. */
const MAX_COLUMNS = 160
const MIN_COLUMNS = 40
const DEFAULT_COLUMNS = 80

export interface Style {
  readonly columns: number
  /** False where the locale says that the terminal knows no UTF-8. */
  readonly unicode: boolean
  /** True when a line may be redrawn in place. */
  readonly redraws: boolean
  paint(colour: Colour, text: string): string
}

/** NO_COLOR, FORCE_COLOR, TERM=dumb, COLUMNS and the locale, for one stream. */
export function styleOf(stream: TextOutput, env: Environment): Style {
  const color = wantsColour(stream, env)
  return {
    columns: columnsOf(stream, env),
    unicode: knowsUnicode(env),
    redraws: stream.isTTY === true && env.TERM !== 'dumb',
    paint: (colour, text) => (color && text !== '' ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text),
  }
}

function wantsColour(stream: TextOutput, env: Environment): boolean {
  const force = env.FORCE_COLOR
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  return env.TERM !== 'dumb' && stream.isTTY === true
}

function columnsOf(stream: TextOutput, env: Environment): number {
  const asked = /^\d+$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : (stream.columns ?? 0)
  return asked > 0 ? Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, asked)) : DEFAULT_COLUMNS
}

function knowsUnicode(env: Environment): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return locale === '' || /utf-?8/i.test(locale)
}

/**
 * Text from outside (names of functions, processes, files) on one line: control, bidi and other invisible
 * characters would move the cursor or lie about what is shown, so each becomes '?'.
 */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, '?')
}

/** `text` cut to `width` characters, the cut shown by one ellipsis. */
export function clip(text: string, width: number, style: Style): string {
  const characters = Array.from(text)
  if (characters.length <= width) return text
  const mark = style.unicode ? '…' : '~'
  return width < 1 ? '' : characters.slice(0, width - 1).join('') + mark
}

/** `text` clipped and filled up to exactly `width` characters. */
export function fit(text: string, width: number, style: Style): string {
  const clipped = clip(text, width, style)
  return clipped + ' '.repeat(Math.max(0, width - Array.from(clipped).length))
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of `fraction` (0 to 1) of `width` characters, in eighths; '#' where there is no UTF-8. */
export function bar(fraction: number, width: number, style: Style): string {
  const part = Math.min(1, Math.max(0, fraction)) * width
  if (!style.unicode) return '#'.repeat(Math.round(part))
  const eighths = Math.round(part * 8)
  return '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]!
}

/** 1812 -> '1 812': thin groups that every terminal can show. */
export function grouped(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ' ')
}

/** 421888 -> '412 kB' (1 kB = 1024 bytes). */
export function byteSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} kB`
  return `${(bytes / (1024 * 1024)).toFixed(1)} MB`
}

/** 10000 -> '10 s', 500 -> '0.5 s', 90000 -> '90 s'. */
export function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`
}
