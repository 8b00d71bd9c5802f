/**
 * The states a reader went through: actions push, typing replaces, and Back, Forward and `u` walk. The browser keeps the list, so
 * that its own buttons work; where it does not know a state any more (another session), the hash tells it.
 */
import type { ViewState } from '../../view/state.ts'
import { decodeState, encodeState } from './hash.ts'

/** What is used of the browser. */
export interface Browsing {
  readonly hash: string
  readonly entry: unknown
  push(entry: Entry, hash: string): void
  replace(entry: Entry, hash: string): void
  back(): void
  /** `moved` is called whenever another entry has become the current one. */
  onMove(moved: () => void): void
}

/** An entry of the browser's list: the state, and how many of ours lie before it. */
export interface Entry {
  readonly at: number
  readonly state: ViewState
}

/** The page's history. */
export class StateHistory {
  readonly #browsing: Browsing
  #current: Entry

  /** Starts at the state of the address; `moved` gets each state that Back and Forward lead to. */
  constructor(browsing: Browsing, moved: (state: ViewState) => void) {
    this.#browsing = browsing
    this.#current = this.#read()
    browsing.onMove(() => {
      this.#current = this.#read()
      moved(this.#current.state)
    })
  }

  get state(): ViewState {
    return this.#current.state
  }

  get canUndo(): boolean {
    return this.#current.at > 0
  }

  /** A new state after an action. */
  push(state: ViewState): void {
    this.#current = { at: this.#current.at + 1, state }
    this.#browsing.push(this.#current, encodeState(state))
  }

  /** A new state in place of the current one. */
  replace(state: ViewState): void {
    this.#current = { at: this.#current.at, state }
    this.#browsing.replace(this.#current, encodeState(state))
  }

  /** Back to the state before; nothing at the first one. */
  undo(): void {
    if (this.canUndo) this.#browsing.back()
  }

  #read(): Entry {
    const { entry, hash } = this.#browsing
    return isEntry(entry) && encodeState(entry.state) === hash.replace(/^#/, '')
      ? entry
      : { at: 0, state: decodeState(hash) }
  }
}

function isEntry(entry: unknown): entry is Entry {
  const { at, state } = (entry ?? {}) as Partial<Entry>
  return typeof at === 'number' && typeof state === 'object' && Array.isArray(state?.chips)
}
