/** The time band: CPU over time stacked by a label or as a heatmap, with the range and the baseline chosen on it. */
import type { Band, Heat } from '../../view/protocol.ts'
import type { TimeRange } from '../../view/state.ts'
import { clipped } from '../data/shares.ts'
import { Brush } from './brush.ts'
import { button, element } from './dom.ts'
import { KnownWidth } from './known-width.ts'
import {
  axisTimes,
  binTops,
  drawHeat,
  drawStrips,
  heatTimeAt,
  isDarkTheme,
  seriesColour,
} from './time-plots.ts'

/** What a reader does on the band. */
export interface BandActions {
  choose(range: TimeRange | null, isStep: boolean): void
  baseline(range: TimeRange | null): void
  key(label: string): void
  heatmap(isOn: boolean): void
}

/** What the band shows; `band` and `heat` are null until they were answered. */
export interface BandPicture {
  readonly durationNs: number
  readonly labelKeys: readonly string[]
  readonly key: string
  readonly range: TimeRange | null
  readonly baseline: TimeRange | null
  readonly isHeatmap: boolean
  readonly band: Band | null
  readonly heat: Heat | null
}

/** Heights of the plots; the style sheet says the same. */
const STRIPS_PX = 36
const HEAT_PX = 100
const LEGEND_SERIES = 6
const AXIS_PX = 120

/** The band. */
export class TimeBand {
  readonly root = element('section', { class: 'band', 'aria-label': 'CPU over time', hidden: '' })
  readonly #actions: BandActions
  readonly #head = element('div', { class: 'band-head' })
  readonly #canvas = element('canvas', { role: 'img' })
  readonly #brush: Brush
  readonly #plot: HTMLElement
  readonly #width: KnownWidth
  readonly #axis = element('div', { class: 'axis', 'aria-hidden': 'true' })
  #picture: BandPicture | null = null
  #isFolded = false

  constructor(actions: BandActions) {
    this.#actions = actions
    this.#brush = new Brush({
      choose: (range, isStep) => actions.choose(range, isStep),
      baseline: (range) => actions.baseline(range),
      timeAt: (x, y) => this.#timeAt(x, y),
      placeOf: (ns) => this.#placeOf(ns),
    })
    this.#plot = element('div', { class: 'plot' }, this.#canvas, this.#brush.root)
    this.#width = new KnownWidth(this.#plot)
    this.root.append(this.#head, this.#plot, this.#axis)
    new ResizeObserver(() => this.#drawPlot()).observe(this.#plot)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.redraw())
  }

  /** Room for bins, in pixels. */
  get widthPx(): number {
    return Math.max(100, this.#width.px || this.root.parentElement?.clientWidth || 0)
  }

  /** Shows a picture. */
  draw(picture: BandPicture): void {
    this.#picture = picture
    this.root.hidden = false
    this.redraw()
  }

  /** Takes the room that the band will need, or gives it back: the page does not jump when it comes. */
  reserve(hasTimes: boolean): void {
    if (this.root.hidden === hasTimes) this.#picture = null
    this.root.hidden = !hasTimes
  }

  /** Takes the band away: the profile has no times. */
  hide(): void {
    this.#picture = null
    this.root.hidden = true
  }

  /** The same picture again, in the colours of now. */
  redraw(): void {
    if (this.#picture === null) return
    this.#drawHead(this.#picture)
    this.#drawPlot()
  }

  #drawHead(picture: BandPicture): void {
    const focused = (document.activeElement as HTMLElement | null)?.dataset.band
    const { isHeatmap, band } = picture
    const fold = this.#named(
      'fold',
      this.#isFolded ? '▸' : '▾',
      { class: 'fold', 'aria-label': 'Time band', 'aria-expanded': String(!this.#isFolded) },
      () => this.#fold(),
    )
    const heat = this.#named(
      'heat',
      '▦',
      {
        class: 'fold',
        'aria-label': 'Heatmap',
        'aria-pressed': String(isHeatmap),
        title: 'Heatmap of sub-second offsets (x)',
      },
      () => this.#actions.heatmap(!isHeatmap),
    )
    const what = isHeatmap
      ? element('span', {}, 'CPU by second, top to bottom within it')
      : this.#keyChoice(picture)
    const legend = isHeatmap || band === null ? null : seriesLegend(band)
    const end = element('span', { class: 'band-end' }, this.#unusual(picture), peakOf(picture), heat)
    this.#head.replaceChildren(fold, what, ...(legend === null ? [] : [legend]), chosenText(picture), end)
    if (focused !== undefined) this.#head.querySelector<HTMLElement>(`[data-band="${focused}"]`)?.focus()
  }

  #named(name: string, label: string, attributes: Record<string, string>, press: () => void): HTMLElement {
    return button(label, { ...attributes, 'data-band': name }, press)
  }

  #keyChoice({ labelKeys, key }: BandPicture): HTMLElement {
    if (labelKeys.length === 0) return element('span', {}, 'CPU')
    const select = element('select', { class: 'quiet', 'aria-label': 'CPU by', 'data-band': 'key' })
    const keys = labelKeys.includes(key) ? labelKeys : [key, ...labelKeys]
    for (const name of keys)
      select.append(element('option', { value: name, selected: name === key ? '' : null }, `CPU by ${name}`))
    select.addEventListener('change', () => this.#actions.key(select.value))
    return select
  }

  #unusual({ band, range }: BandPicture): HTMLElement | string {
    const unusual = band?.unusual
    if (unusual === undefined || unusual === null) return ''
    const { fromNs, toNs, sentence } = unusual
    if (range !== null && range.fromNs === fromNs && range.toNs === toNs) return ''
    return this.#named(
      'unusual',
      sentence,
      { class: 'unusual', title: `${sentence}: show only this time` },
      () => this.#actions.choose({ fromNs, toNs }, false),
    )
  }

  #fold(): void {
    this.#isFolded = !this.#isFolded
    this.root.classList.toggle('folded', this.#isFolded)
    this.redraw()
  }

  #drawPlot(): void {
    const picture = this.#picture
    if (picture === null || this.#isFolded) return
    const { band, heat, isHeatmap, range } = picture
    const widthPx = this.#plot.clientWidth
    this.root.classList.toggle('heat', isHeatmap)
    this.#canvas.setAttribute('aria-label', describe(picture))
    if (isHeatmap && heat !== null) drawHeat(this.#canvas, heat, { widthPx, heightPx: HEAT_PX }, range)
    else if (!isHeatmap && band !== null) drawStrips(this.#canvas, band, widthPx, STRIPS_PX)
    this.#brush.draw(this.#domain(picture), range, picture.baseline)
    this.#drawAxis(picture, widthPx)
  }

  #drawAxis(picture: BandPicture, widthPx: number): void {
    const { fromNs, toNs } = this.#domain(picture)
    const times = axisTimes(fromNs, toNs, widthPx / AXIS_PX)
    const unit = toNs - fromNs < 1e9 ? 1e6 : 1e9
    const name = unit === 1e9 ? 's' : 'ms'
    const labels = times.map((ns, i) => {
      const value = Number((ns / unit).toFixed(3))
      const label = element('span', {}, i === 0 ? `${value}\u202f${name}` : String(value))
      const place = this.#placeOf(ns)
      label.style.left = `${place * 100}%`
      label.className = place < 0.02 ? 'first' : place > 0.98 ? 'last' : ''
      return label
    })
    this.#axis.replaceChildren(...labels)
  }

  #domain({ band, heat, isHeatmap, durationNs }: BandPicture): TimeRange {
    if (isHeatmap && heat !== null)
      return { fromNs: heat.fromNs, toNs: heat.fromNs + heat.columns * heat.columnNs }
    return band === null || band.toNs <= band.fromNs
      ? { fromNs: 0, toNs: durationNs }
      : { fromNs: band.fromNs, toNs: band.toNs }
  }

  #timeAt(x: number, y: number): { ns: number; cellNs: number } {
    const picture = this.#picture!
    if (picture.isHeatmap && picture.heat !== null) return heatTimeAt(picture.heat, x, y)
    const { fromNs, toNs } = this.#domain(picture)
    return { ns: fromNs + Math.max(0, Math.min(1, x)) * (toNs - fromNs), cellNs: 0 }
  }

  #placeOf(ns: number): number {
    const { fromNs, toNs } = this.#domain(this.#picture!)
    return Math.max(0, Math.min(1, (ns - fromNs) / (toNs - fromNs)))
  }
}

function seriesLegend(band: Band): HTMLElement {
  const list = element('ul', { class: 'legend', 'aria-label': `Values of ${band.key}` })
  const isDark = isDarkTheme()
  for (const { name, hue } of band.series.slice(0, LEGEND_SERIES)) {
    const swatch = element('i', { class: 'swatch', 'aria-hidden': 'true' })
    swatch.style.backgroundColor = seriesColour(hue, isDark)
    list.append(element('li', { title: clipped(name) }, swatch, element('span', {}, clipped(name, 60))))
  }
  const more = band.series.length - LEGEND_SERIES
  if (more > 0) list.append(element('li', { class: 'muted' }, `+${more}`))
  return list
}

function chosenText({ range, baseline }: BandPicture): HTMLElement {
  const parts: string[] = []
  if (range !== null) parts.push(`selected ${rangeText(range)}`)
  if (baseline !== null) parts.push(`before ${rangeText(baseline)}`)
  return element('span', { class: 'chosen-text' }, parts.join(' · '))
}

/** `3.4–5.6 s`, with as many decimals as tell the ends apart. */
export function rangeText({ fromNs, toNs }: TimeRange): string {
  const decimals = toNs - fromNs < 1e8 ? 3 : toNs - fromNs < 1e9 ? 2 : 1
  return `${(fromNs / 1e9).toFixed(decimals)}–${(toNs / 1e9).toFixed(decimals)}\u202fs`
}

/** The height of the band in cores. */
function peakOf({ band, isHeatmap }: BandPicture): HTMLElement | string {
  if (band === null || isHeatmap || band.corePerBin <= 0) return ''
  const cores = binTops(band).most / band.corePerBin
  return element(
    'span',
    { class: 'peak', title: 'Height of the band' },
    `↑ ${cores.toFixed(cores < 10 ? 1 : 0)} cores`,
  )
}

function describe(picture: BandPicture): string {
  if (picture.isHeatmap) return 'Heatmap: a column is a second, a row an offset within it'
  return picture.labelKeys.length === 0 ? 'CPU over time' : `CPU over time, stacked by ${picture.key}`
}
