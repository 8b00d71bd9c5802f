/**
 * Call chains of `perf script` -> stacks. perf prints the leaf first, and inlined functions with the address of the
 * frame they are in, before it: these become the lines of one location.
 */
import type { Line } from '../model/profile.ts'
import { ownCopy } from './own-copy.ts'
import { NOWHERE, type PerfFrame, type PerfPlace } from './perf-script-lines.ts'
import type { ProfileDraft } from './profile-draft.ts'

/** Texts that are remembered; more of them make the table start anew. */
const MOST_REMEMBERED = 1 << 20

/** Turns chains into nodes of the draft's stacks. */
export class PerfScriptStack {
  readonly #draft: ProfileDraft
  readonly #ofFrame = new WeakMap<PerfFrame, number>()
  /** Location by the text of its frames. */
  readonly #known = new Map<string, number>()

  constructor(draft: ProfileDraft) {
    this.#draft = draft
  }

  /** The stack of a chain, leaf first; -1 for an empty one. `places` has an entry a frame; equal frames may be one object. */
  of(frames: readonly PerfFrame[], places: readonly PerfPlace[]): number {
    const locations: number[] = []
    for (let from = 0; from < frames.length; ) {
      let to = from
      while (
        frames[to]!.isInlined &&
        to + 1 < frames.length &&
        frames[to + 1]!.address === frames[from]!.address
      )
        to++
      const isAlone = from === to && places[from]!.line === 0
      locations.push(
        isAlone
          ? this.#alone(frames[from]!)
          : this.#location(frames.slice(from, to + 1), places.slice(from, to + 1)),
      )
      from = to + 1
    }
    let stack = -1
    for (let i = locations.length - 1; i >= 0; i--) stack = this.#draft.call(stack, locations[i]!)
    return stack
  }

  /** Of one frame that nothing was inlined into, which most are. */
  #alone(frame: PerfFrame): number {
    const known = this.#ofFrame.get(frame)
    if (known !== undefined) return known
    const location = this.#location([frame], [NOWHERE])
    this.#ofFrame.set(frame, location)
    return location
  }

  #location(frames: readonly PerfFrame[], places: readonly PerfPlace[]): number {
    const key = frames
      .map(({ symbol, dso, kind }, i) => `${symbol}\0${dso}\0${kind}\0${places[i]!.file}:${places[i]!.line}`)
      .join('\n')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const { dso, kind } = frames.at(-1)!
    const mapping = dso === '' ? -1 : this.#draft.mapping(ownCopy(dso))
    const lines = frames.map((frame, i): Line => this.#line(frame, places[i]!, dso))
    const location = this.#draft.location({ lines, mapping, kind })
    if (this.#known.size >= MOST_REMEMBERED) this.#known.clear()
    this.#known.set(ownCopy(key), location)
    return location
  }

  /** Static functions of one name in two binaries are two functions. */
  #line({ symbol }: PerfFrame, place: PerfPlace, dso: string): Line {
    const file = place.line > 0 ? ownCopy(place.file) : ''
    const index = this.#draft.function(ownCopy(symbol), file, 0, ownCopy(dso))
    return { function: index, line: place.line, column: 0 }
  }
}
