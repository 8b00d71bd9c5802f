/**
 * The view's state as the text behind the `#` of a link, and back: `view=sandwich&chip=hide:malloc&zoom=main/handle`.
 *
 * Only what differs from the first view is written. Reading is total: any text gives a state, and a part that is not
 * understood counts as not written. Names are percent-encoded, one by one, so that `/`, `:` and `&` in them are only text.
 */
import {
  type Baseline,
  CHIP_KINDS,
  type Chip,
  type ChipKind,
  COLOURINGS,
  type Comparison,
  INITIAL_STATE,
  SCALES,
  SORTS,
  type TimeRange,
  VIEWS,
  type ViewState,
  WHOLE,
  type Zoom,
} from '../../view/state.ts'

/** A link is cut where its state would not fit: browsers refuse longer addresses, and mail programs much shorter ones. */
const MAX_PART_CHARACTERS = 100_000
const SIDES = ['before', 'diff', 'after'] as const

/** The hash of a state without its `#`; '' for the first view. Lone surrogates of a name become U+FFFD. */
export function encodeState(state: ViewState): string {
  const parts: string[] = []
  const add = (key: string, value: string): void => {
    if (value.length <= MAX_PART_CHARACTERS) parts.push(`${key}=${value}`)
  }
  const addZoom = (half: string, { path, ranks }: Zoom): void => {
    if (path.length > 0) add(`${half}zoom`, path.map(encode).join('/'))
    if (ranks !== null) add(`${half}ranks`, ranks.join('-'))
  }
  const { view, column, range, compare, zoom, sort } = state
  if (view !== INITIAL_STATE.view) add('view', view)
  if (column !== INITIAL_STATE.column) add('column', String(column))
  for (const { kind, text } of state.chips) add('chip', `${kind}:${encode(text)}`)
  if (range !== null) add('range', writeRange(range))
  if (compare !== null) add('vs', writeComparison(compare))
  addZoom('', zoom)
  if (state.pivot !== '') add('pivot', encode(state.pivot))
  addZoom('callers-', state.callersZoom)
  if (state.search !== '') add('find', encode(state.search))
  const sorting = `${sort.descending ? '-' : ''}${sort.by}`
  if (sorting !== '-self') add('sort', sorting)
  if (state.colouring !== INITIAL_STATE.colouring) add('colour', state.colouring)
  if (state.upward) add('up', '1')
  if (state.band !== INITIAL_STATE.band) add('band', encode(state.band))
  if (state.heatmap) add('heat', '1')
  return parts.join('&')
}

/** The state of any hash, with or without its `#`. */
export function decodeState(hash: string): ViewState {
  const values = new Map<string, string[]>()
  for (const part of hash.replace(/^#/, '').split('&')) {
    const at = part.indexOf('=')
    if (at <= 0) continue
    const key = part.slice(0, at)
    values.set(key, [...(values.get(key) ?? []), part.slice(at + 1)])
  }
  const first = (key: string): string | undefined => values.get(key)?.[0]
  const text = (key: string): string | undefined => decode(first(key))
  const sorting = first('sort') ?? '-self'
  const sortBy = oneOf(SORTS, sorting.replace(/^-/, ''))
  return {
    view: oneOf(VIEWS, first('view')) ?? INITIAL_STATE.view,
    column: wholeNumber(first('column')) ?? INITIAL_STATE.column,
    chips: (values.get('chip') ?? []).flatMap(readChip),
    range: readRange(first('range')),
    compare: readComparison(first('vs')),
    zoom: readZoom(first('zoom'), first('ranks')),
    pivot: text('pivot') ?? '',
    callersZoom: readZoom(first('callers-zoom'), first('callers-ranks')),
    search: text('find') ?? '',
    sort: sortBy === undefined ? INITIAL_STATE.sort : { by: sortBy, descending: sorting.startsWith('-') },
    colouring: oneOf(COLOURINGS, first('colour')) ?? INITIAL_STATE.colouring,
    upward: first('up') === '1',
    band: text('band') ?? INITIAL_STATE.band,
    heatmap: first('heat') === '1',
  }
}

function readChip(part: string): Chip[] {
  const at = part.indexOf(':')
  const kind = oneOf<ChipKind>(CHIP_KINDS, part.slice(0, Math.max(0, at)))
  const text = decode(part.slice(at + 1))
  return kind === undefined || text === undefined ? [] : [{ kind, text }]
}

function readZoom(path: string | undefined, ranks: string | undefined): Zoom {
  const names = path?.split('/').map(decode)
  if (names?.some((name) => name === undefined)) return WHOLE
  const [from, to, ...rest] = (ranks ?? '').split('-').map(wholeNumber)
  const isRange = from !== undefined && to !== undefined && rest.length === 0 && from < to
  return { path: (names ?? []) as string[], ranks: isRange ? [from, to] : null }
}

function writeComparison({ with: base, scale, side }: Comparison): string {
  return [writeBaseline(base), scale, side].join(';')
}

function writeBaseline(base: Baseline): string {
  if (base.kind === 'file') return 'file'
  if (base.kind === 'range') return `range:${writeRange(base.range)}`
  return `label:${[base.key, base.before, base.after].map(encode).join(':')}`
}

function readComparison(text: string | undefined): Comparison | null {
  const [written = '', scaleText, sideText] = (text ?? '').split(';')
  const base = readBaseline(written)
  if (base === null) return null
  return { with: base, scale: oneOf(SCALES, scaleText) ?? 'relative', side: oneOf(SIDES, sideText) ?? 'diff' }
}

function readBaseline(text: string): Baseline | null {
  if (text === 'file') return { kind: 'file' }
  const [kind, ...rest] = text.split(':')
  if (kind === 'range') {
    const range = readRange(rest[0])
    return range === null ? null : { kind, range }
  }
  const [key, before, after] = rest.map(decode)
  if (kind !== 'label' || rest.length !== 3) return null
  if (key === undefined || before === undefined || after === undefined) return null
  return { kind, key, before, after }
}

/** In seconds, exact to the nanosecond. */
function writeRange({ fromNs, toNs }: TimeRange): string {
  return `${writeSeconds(fromNs)}-${writeSeconds(toNs)}`
}

function readRange(text: string | undefined): TimeRange | null {
  const match = /^(\d+(?:\.\d{1,9})?)-(\d+(?:\.\d{1,9})?)$/.exec(text ?? '')
  if (match === null) return null
  const [fromNs, toNs] = [readSeconds(match[1]!), readSeconds(match[2]!)]
  return fromNs < toNs && Number.isSafeInteger(toNs) ? { fromNs, toNs } : null
}

function writeSeconds(ns: number): string {
  const whole = Math.max(0, Math.round(ns))
  const fraction = String(whole % 1e9).padStart(9, '0')
  return `${Math.floor(whole / 1e9)}.${fraction}`.replace(/\.?0+$/, '')
}

function readSeconds(text: string): number {
  const [seconds = '0', fraction = ''] = text.split('.')
  return Number(seconds) * 1e9 + Number(fraction.padEnd(9, '0'))
}

function oneOf<T extends string>(all: readonly T[], text: string | undefined): T | undefined {
  return all.find((one) => one === text)
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** Percent-encoded, but a blank reads better as `+`. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd')).replaceAll('%20', '+')
}

function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text.replace(/\+/g, ' '))
  } catch {
    // A half escape: cut off by whoever passed the link on.
    return undefined
  }
}
