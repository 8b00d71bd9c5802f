/**
 * The page of a running agent: follows its windows and shows those of the chosen time. One update at a time; what
 * happens meanwhile is looked at once it is done. A page nobody sees asks for nothing.
 */
import { App } from './app.ts'
import { AgentSource } from './data/agent-source.ts'
import type { Ask } from './session.ts'
import { element } from './views/dom.ts'
import { LiveBar, type Span } from './views/live-bar.ts'

const DEFAULT_MINUTES = 5
/** After an answer that failed; the event stream comes back by itself. */
const RETRY_MS = 3000

/** Runs the live page in an element, for as long as the page is open. */
export class LivePage {
  readonly #holder: HTMLElement
  readonly #notices: string
  readonly #ask: Ask
  readonly #source: AgentSource
  readonly #bar: LiveBar
  #app: App | null = null
  #minutes = DEFAULT_MINUTES
  #span: Span = { kind: 'last', minutes: DEFAULT_MINUTES }
  #isLive = true
  #shown = { fromMs: 0, toMs: 0, windows: 0, lastId: 0 }
  #problem = ''
  #isBusy = false
  #isStale = false
  #retryTimer = 0

  constructor(holder: HTMLElement, ask: Ask, notices: string) {
    this.#holder = holder
    this.#ask = ask
    this.#source = new AgentSource(ask)
    this.#notices = notices
    this.#bar = new LiveBar({ toggle: () => this.#toggle(), choose: (span) => this.#choose(span) })
    this.#bar.minutes = DEFAULT_MINUTES
  }

  /** Shows what there is, and listens. */
  start(): void {
    this.#wait('Waiting for the first window of the agent…')
    this.#follow()
    document.addEventListener('visibilitychange', () => !document.hidden && this.#onNews())
  }

  /** A browser takes a lost stream up again by itself, but gives up one that was refused: too many pages, a new token. */
  #follow(): void {
    const events = new EventSource('live')
    events.addEventListener('window', () => this.#onNews())
    // A stream that begins, again perhaps: there may be windows it did not tell.
    events.addEventListener('open', () => this.#onNews())
    events.addEventListener('error', () => {
      if (events.readyState !== EventSource.CLOSED) return this.#say('no answer from the agent, trying again')
      setTimeout(() => this.#follow(), RETRY_MS)
      this.#onNews()
    })
  }

  #onNews(): void {
    if (!document.hidden) void this.#update(this.#isLive)
  }

  #toggle(): void {
    this.#isLive = !this.#isLive
    if (this.#isLive && this.#span.kind === 'custom') {
      // What was chosen does not move, so going on is about the last minutes again.
      this.#span = { kind: 'last', minutes: this.#minutes }
      this.#bar.minutes = this.#minutes
    }
    if (this.#isLive) void this.#update(true)
    else this.#showState()
  }

  #choose(span: Span): void {
    this.#span = span
    if (span.kind === 'last') this.#minutes = span.minutes
    else this.#isLive = false
    void this.#update(true)
  }

  /** Asks for the list, and shows the windows of the span where `isWanted`; while paused only counts them. */
  async #update(isWanted: boolean): Promise<void> {
    if (this.#isBusy) {
      this.#isStale ||= isWanted
      return
    }
    this.#isBusy = true
    clearTimeout(this.#retryTimer)
    try {
      await this.#source.refresh()
      this.#problem = ''
      if (isWanted) await this.#showSpan()
      this.#showState()
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error))
      this.#retryTimer = window.setTimeout(() => this.#onNews(), RETRY_MS)
    }
    this.#isBusy = false
    if (!this.#isStale) return
    this.#isStale = false
    void this.#update(true)
  }

  async #showSpan(): Promise<void> {
    const { windows } = this.#source
    const last = windows.at(-1)
    if (last === undefined) return
    const { fromMs, toMs } =
      this.#span.kind === 'custom'
        ? this.#span
        : { fromMs: last.endMs - this.#span.minutes * 60_000, toMs: last.endMs }
    const found = await this.#source.show(fromMs, toMs)
    if (found === null) {
      this.#problem = `nothing was recorded then; there is ${time(windows[0]!.startMs)} to ${time(last.endMs)}`
      return
    }
    const [first, end] = [found.windows[0]!, found.windows.at(-1)!]
    this.#shown = {
      fromMs: first.startMs,
      toMs: end.endMs,
      windows: found.windows.length,
      lastId: Math.max(last.id, end.id),
    }
    if (this.#app === null) {
      const controls = { root: this.#bar.root, toggle: () => this.#toggle() }
      this.#app = new App(this.#holder, this.#ask, this.#notices, controls)
    }
    this.#app.open(found.opened)
  }

  #say(problem: string): void {
    this.#problem = problem
    if (this.#app === null) this.#wait(problem)
    this.#showState()
  }

  #wait(text: string): void {
    this.#holder.replaceChildren(element('p', { class: 'state', role: 'status' }, text))
  }

  #showState(): void {
    const newer = this.#source.windows.filter(({ id }) => id > this.#shown.lastId).length
    this.#bar.show({ isLive: this.#isLive, ...this.#shown, newer, problem: this.#problem })
  }
}

function time(ms: number): string {
  return new Date(ms).toLocaleTimeString('en-GB')
}
