/**
 * Profile -> one static SVG picture of its flame graph: 1 200 px wide, callers above their callees, heaviest first. For
 * documents, issues and chats; no script, no style sheet, nothing to load, so that any viewer draws the same.
 *
 * What is drawn is what the page would draw at that width (prune.ts): frames too narrow to see are in hatched boxes
 * that say how many they are and how much. Kernel, run-time code and inlined functions have patterns besides colours.
 */
import { colourFrames } from '../model/colour-groups.ts'
import { type FlameTree, flameTree } from '../model/flame-tree.ts'
import { frameLabel, nodeName } from '../model/frame-label.ts'
import { FRAME_KINDS, type Profile } from '../model/profile.ts'
import { type DrawnFrame, prune } from '../model/prune.ts'
import { ratesText } from '../model/rates-text.ts'
import { independentSamples, sampleCount } from '../model/sample-count.ts'
import { narrowName, shortName } from '../model/short-name.ts'
import { wholeTree } from '../model/zoom.ts'
import { wilson } from '../stats/interval.ts'
import { hexOfOklch } from './svg-colour.ts'
import { element, PATTERNS, text } from './svg-text.ts'

const WIDTH_PX = 1200
const MARGIN_PX = 12
const ROW_PX = 20
const HEAD_PX = 46
const FOOT_PX = 30
/** Narrower frames have no label: three letters help nobody. */
const MIN_LABEL_PX = 26
const CHARACTER_PX = 6.4
const GROUPS_SHOWN = 7

const INK = '#1d1b18'
const MUTED = '#6b655c'
const PAPER = '#fbfaf8'
const PLAIN = '#f3efe9'

/** A drawn thing and its place: pixels from the left, rows from the top. */
interface Placed {
  readonly drawn: DrawnFrame
  readonly x: number
  readonly width: number
  readonly depth: number
}

interface Picture {
  readonly profile: Profile
  readonly tree: FlameTree
  readonly hueOfFrame: Uint16Array
  readonly samples: number | null
  /** Those to judge shares by. */
  readonly independent: number | null
}

/** The picture in pieces; joined they are one document. */
export function* writeSvg(profile: Profile): Iterable<string> {
  const tree = flameTree(profile, profile.defaultSampleType)
  const colours = colourFrames(tree)
  const samples = sampleCount(profile, profile.defaultSampleType)
  const independent = independentSamples(profile, profile.defaultSampleType)
  const picture = { profile, tree, hueOfFrame: colours.hueOfFrame, samples, independent }
  const graphPx = WIDTH_PX - 2 * MARGIN_PX
  const placed = place(prune(tree, wholeTree()[0]!, graphPx).top, graphPx)
  const rows = placed.reduce((most, { depth }) => Math.max(most, depth + 1), 1)
  const height = HEAD_PX + rows * ROW_PX + FOOT_PX
  const title = `Flame graph of ${profile.capture?.target.name || 'a profile'}`
  yield `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_PX}" height="${height}" viewBox="0 0 ${WIDTH_PX} ${height}" `
  yield `role="img" aria-labelledby="title description" font-family="system-ui, 'DejaVu Sans', sans-serif">\n`
  yield element('title', { id: 'title' }, text(title))
  yield element('desc', { id: 'description' }, text(described(picture)))
  yield PATTERNS
  yield element('rect', { width: WIDTH_PX, height, fill: PAPER })
  yield element('text', { x: MARGIN_PX, y: 20, 'font-size': 14, fill: INK, 'font-weight': 600 }, text(title))
  yield element('text', { x: MARGIN_PX, y: 37, 'font-size': 11.5, fill: MUTED }, text(subtitle(picture)))
  for (const frame of placed) yield drawFrame(picture, frame)
  yield* legend(colours.groups.slice(0, GROUPS_SHOWN), height - FOOT_PX + 18)
  yield '</svg>\n'
}

/** Heaviest child first, boxes last; rows top down. */
function place(top: DrawnFrame, widthPx: number): Placed[] {
  const scale = top.value > 0 ? widthPx / top.value : 0
  const placed: Placed[] = [{ drawn: top, x: MARGIN_PX, width: widthPx, depth: 0 }]
  for (const { drawn, x, depth } of placed) {
    const inOrder = drawn.children.toSorted(
      (a, b) => Number(a.members !== null) - Number(b.members !== null) || b.value - a.value,
    )
    let at = x
    for (const child of inOrder) {
      const width = child.value * scale
      placed.push({ drawn: child, x: at, width, depth: depth + 1 })
      at += width
    }
  }
  return placed
}

function drawFrame(picture: Picture, { drawn, x, width, depth }: Placed): string {
  const { tree, hueOfFrame } = picture
  const box = {
    x: round(x),
    y: HEAD_PX + depth * ROW_PX,
    width: round(Math.max(0.3, width)),
    height: ROW_PX - 1,
  }
  const frame = drawn.members === null ? tree.frame[drawn.node]! : -1
  const fill = frame < 0 ? PLAIN : hexOfOklch(0.865, 0.072, hueOfFrame[frame]!)
  const pattern = drawn.members !== null ? 'box' : frame < 0 ? null : patternOf(tree, frame)
  const overlay = pattern === null ? '' : `${element('rect', { ...box, fill: `url(#${pattern})`, rx: 2 })}`
  return element(
    'g',
    {},
    element('title', {}, text(tooltip(picture, drawn))) +
      element('rect', { ...box, fill, rx: 2 }) +
      overlay +
      label(picture, drawn, box),
  )
}

function patternOf(tree: FlameTree, frame: number): string | null {
  const kind = FRAME_KINDS[tree.frames.kind[frame]!]!
  if (kind === 'kernel') return 'kernel'
  if (kind === 'jit' || kind === 'interpreted') return 'jit'
  return tree.frames.inlined[frame] === 1 ? 'inlined' : null
}

function label(picture: Picture, drawn: DrawnFrame, box: { x: number; y: number; width: number }): string {
  if (box.width < MIN_LABEL_PX) return ''
  const room = Math.floor((box.width - 8) / CHARACTER_PX)
  const whole = nameOf(picture, drawn)
  const narrow = drawn.members === null ? narrowName(whole, room).replace(/^…/, '') : whole
  const shown = narrow.length > room ? `${narrow.slice(0, Math.max(1, room - 1))}…` : narrow
  return element('text', { x: round(box.x + 4), y: box.y + 13.5, 'font-size': 11.5, fill: INK }, text(shown))
}

function nameOf(picture: Picture, drawn: DrawnFrame): string {
  if (drawn.members === null) return shortName(nodeName(picture.tree, drawn.node))
  return `+${drawn.members.length} small · ${share(picture, drawn.value)}`
}

/** What one reads when the pointer rests on a frame. */
function tooltip(picture: Picture, drawn: DrawnFrame): string {
  const { tree } = picture
  if (drawn.members !== null)
    return `${drawn.members.length} frames too narrow to draw, ${share(picture, drawn.value)}`
  if (drawn.node === 0) return `all, ${share(picture, drawn.value)}`
  const name = frameLabel(tree, tree.frame[drawn.node]!)
  return `${name}, ${share(picture, tree.total[drawn.node]!)}, self ${share(picture, tree.self[drawn.node]!)}`
}

function share({ tree, independent: samples }: Picture, value: number): string {
  const part = tree.total[0]! > 0 ? value / tree.total[0]! : 0
  const shown = `${(part * 100).toFixed(1)} %`
  if (samples === null || samples <= 0) return shown
  const { low, high } = wilson(part * samples, samples)
  return `${shown} ±${(Math.max(high - part, part - low) * 100).toFixed(1)}`
}

function subtitle({ profile, samples, tree }: Picture): string {
  const type = profile.sampleTypes[profile.defaultSampleType]
  const parts = [type === undefined ? '' : `${type.type} (${type.unit})`]
  if (profile.durationNs > 0n) parts.push(`${(Number(profile.durationNs) / 1e9).toFixed(1)} s`)
  if (samples !== null) parts.push(`${samples} samples`)
  const { capture } = profile
  if (capture !== null) parts.push(ratesText(capture), capture.host.name)
  if (tree.negativeRows > 0) parts.push(`${tree.negativeRows} negative values left out`)
  return parts.filter((part) => part !== '').join(' · ')
}

/** The picture in words. */
function described(picture: Picture): string {
  const { tree } = picture
  if (!(tree.total[0]! > 0)) return 'The profile holds no samples.'
  const weights: [name: string, total: number][] = []
  for (let node = tree.firstChild[0] ?? -1; node > 0; node = tree.nextSibling[node]!) {
    weights.push([shortName(nodeName(tree, node)), tree.total[node]!])
  }
  const heaviest = weights.sort((a, b) => b[1] - a[1]).slice(0, 5)
  const list = heaviest.map(([name, total]) => `${name} ${share(picture, total)}`).join(', ')
  return `Width is weight, callers are above their callees. ${subtitle(picture)}. Outermost frames: ${list}.`
}

function* legend(groups: readonly { name: string; hue: number }[], y: number): Iterable<string> {
  let x = MARGIN_PX
  const item = (name: string, fill: string, pattern: string): string => {
    const swatch = { x, y: y - 10, width: 14, height: 12, rx: 2 }
    const shown = name.length > 24 ? `${name.slice(0, 23)}…` : name
    const drawn =
      element('rect', { ...swatch, fill }) +
      (pattern === '' ? '' : element('rect', { ...swatch, fill: `url(#${pattern})` })) +
      element('text', { x: x + 19, y, 'font-size': 11, fill: MUTED }, text(shown))
    x += 32 + shown.length * CHARACTER_PX
    return drawn
  }
  for (const [name, pattern] of [
    ['kernel', 'kernel'],
    ['run-time code', 'jit'],
    ['inlined', 'inlined'],
    ['too narrow', 'box'],
  ] as const) {
    yield item(name, PLAIN, pattern)
  }
  for (const { name, hue } of groups) {
    if (x + 32 + Math.min(24, name.length) * CHARACTER_PX > WIDTH_PX - MARGIN_PX) break
    yield item(name, hexOfOklch(0.865, 0.072, hue), '')
  }
}

function round(px: number): number {
  return Math.round(px * 100) / 100
}
