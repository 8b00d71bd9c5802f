/**
 * The page's side of the conversation with the worker: one question of a kind at a time, the newest wins. A reader who types or
 * drags asks faster than a profile of a million nodes answers; what was overtaken is never asked.
 */
import type { Answers, Band, Heat, Listed, Request, Shown } from '../view/protocol.ts'
import type { ViewState } from '../view/state.ts'
import { whenSeen } from './data/turn.ts'

/** Asks the worker. Errors: rejects with what the worker could not do. */
export type Ask = <D extends Request['do']>(request: Extract<Request, { do: D }>) => Promise<Answers[D]>

/** What is done with answers, each with the state it is about. */
export interface SessionActions {
  shown(shown: Shown, state: ViewState): void
  /** The functions of the answer before. */
  listed(listed: Listed, state: ViewState): void
  band(band: Band | null, heat: Heat | null, state: ViewState): void
  failed(error: unknown): void
}

interface Wanted {
  readonly state: ViewState
  readonly widthPx: number
  readonly bandPx: number
  readonly hasTimes: boolean
}

const TABLE_ROWS = 100
/** Pixels of a bar of the time band. */
const BIN_PX = 6
const MIN_HEAT_COLUMN_PX = 3

/** A conversation. */
export class Session {
  readonly #ask: Ask
  readonly #actions: SessionActions
  #wanted: Wanted | null = null
  #isBusy = false
  #bandOf = ''
  #wake: () => void = () => undefined

  constructor(ask: Ask, actions: SessionActions) {
    this.#ask = ask
    this.#actions = actions
  }

  /** Wants a state shown; `isNews`: of another profile, so that nothing known is still right. */
  want(wanted: Wanted, isNews = false): void {
    this.#wanted = wanted
    if (isNews) this.#bandOf = ''
    this.#wake()
    if (!this.#isBusy) void this.#work()
  }

  /** What is waited for, or null as soon as something new is wanted. */
  #unlessNews<T>(awaited: Promise<T>): Promise<T | null> {
    const news = new Promise<null>((done) => {
      this.#wake = () => done(null)
    })
    return Promise.race([awaited, news])
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    while (this.#wanted !== null) {
      const wanted = this.#wanted
      this.#wanted = null
      try {
        await this.#answer(wanted)
      } catch (error) {
        this.#actions.failed(error)
      }
    }
    this.#isBusy = false
  }

  async #answer(wanted: Wanted): Promise<void> {
    const { state, widthPx } = wanted
    const shown = await this.#ask({ do: 'show', state, widthPx })
    this.#actions.shown(shown, state)
    if (this.#wanted !== null) return
    await this.#unlessNews(whenSeen())
    if (this.#wanted !== null) return
    // What is wanted next does not wait for what only follows: the worker gets it while it may still count functions.
    const listed = await this.#unlessNews(this.#ask({ do: 'list', tableRows: TABLE_ROWS }))
    if (this.#wanted !== null || listed === null) return
    this.#actions.listed(listed, state)
    if (wanted.hasTimes) await this.#answerBand(wanted)
  }

  /** The band depends on the filters, not on where the reader is in the graph. */
  async #answerBand({ state, bandPx }: Wanted): Promise<void> {
    const { chips, column, band: key, heatmap, compare } = state
    const part = JSON.stringify([chips, column, key, heatmap, compare?.with, bandPx])
    if (part === this.#bandOf) return this.#actions.band(null, null, state)
    const bins = Math.max(20, Math.floor(bandPx / BIN_PX))
    const band = heatmap ? null : await this.#ask({ do: 'band', state, bins })
    const maxColumns = Math.floor(bandPx / MIN_HEAT_COLUMN_PX)
    const heat = heatmap ? await this.#ask({ do: 'heat', state, maxColumns }) : null
    this.#bandOf = part
    this.#actions.band(band, heat, state)
  }
}
