/**
 * The language of the search box and of filters: what a text means, and which frames it finds.
 *
 * `parse` is literal text and `/^parse/` a regular expression, both ignoring case; `"parse"` is the whole name. A prefix asks for
 * something else than the name: `bin:libc` the binary, `file:json.ts` the source file, `kind:kernel` (jit, native, interpreted),
 * `pkg:express` the package or namespace, `unnamed:` frames without a name. Text is compared once per distinct frame.
 */
import { packageName } from '../model/colour-groups.ts'
import { FRAME_KINDS } from '../model/profile.ts'
import type { Frames } from './frames.ts'

/** 1 for each frame that a query finds, and how many; or why the query cannot be understood. */
export interface Found {
  readonly mask: Uint8Array
  readonly count: number
  /** '' when there is none. */
  readonly problem: string
}

/** A text to look at in a frame. */
type Facet = (frames: Frames, frame: number) => string

const FACETS: Readonly<Record<string, Facet>> = {
  bin: (frames, f) => frames.module[f]!,
  file: (frames, f) => frames.file[f]!,
  kind: (frames, f) => FRAME_KINDS[frames.kind[f]!]!,
  pkg: (frames, f) => packageName({ profile: frames.profile, frames, frameWeight: [] }, f),
  unnamed: (frames, f) => (frames.function[f]! < 0 ? (frames.module[f] ?? '') : '\0'),
}

/** Longer names are compared by their start: nobody searches for the end of a megabyte. */
const MAX_COMPARED = 4096
/** A regular expression that takes longer over all names is given up. */
const MAX_REGEXP_MS = 2000

/** Looks a query up in all frames. */
export function find(frames: Frames, text: string): Found {
  const mask = new Uint8Array(frames.count)
  const { facet, body } = split(text)
  const test = testOf(body)
  if (typeof test === 'string') return { mask, count: 0, problem: test }
  const deadline = performance.now() + MAX_REGEXP_MS
  let count = 0
  for (let f = 0; f < mask.length; f++) {
    if (test(facet(frames, f).slice(0, MAX_COMPARED))) {
      mask[f] = 1
      count++
    }
    if ((f & 255) === 255 && performance.now() > deadline)
      return { mask: mask.fill(0), count: 0, problem: 'the expression takes too long; make it simpler' }
  }
  return { mask, count, problem: '' }
}

/** A query that finds exactly one function: by its name, and by its binary only where a name alone would do. */
export function exactQuery(name: string): string {
  return `"${name}"`
}

function split(text: string): { facet: Facet; body: string } {
  const colon = text.indexOf(':')
  const facet = colon > 0 && text[colon + 1] !== ':' ? FACETS[text.slice(0, colon)] : undefined
  return facet === undefined
    ? { facet: (frames, f) => frames.name[f]!, body: text }
    : { facet, body: text.slice(colon + 1) }
}

/** The test a body stands for, or the reason why there is none. */
function testOf(body: string): ((text: string) => boolean) | string {
  if (body.length > 2 && body.startsWith('/') && body.endsWith('/')) {
    try {
      const pattern = new RegExp(body.slice(1, -1), 'i')
      return (text) => pattern.test(text)
    } catch (error) {
      const reason = (error as Error).message.replace(/^Invalid regular expression: /, '')
      return `not a regular expression: ${reason}`
    }
  }
  if (body.length > 1 && body.startsWith('"') && body.endsWith('"')) {
    const whole = body.slice(1, -1).slice(0, MAX_COMPARED)
    return (text) => text === whole
  }
  const literal = body.toLowerCase()
  return (text) => text.toLowerCase().includes(literal)
}
