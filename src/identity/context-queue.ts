/**
 * When which process is asked for its context: at first a second after its start (SDKs publish while they set up, and
 * a process of 50 ms is not worth a search), then ever more rarely, at the pace of windows. One at a time.
 */
import { type ContextFault, ContextReader, findContext, type PublishedContext } from './process-context.ts'

/** What the queue keeps of a process. */
export interface ContextTarget {
  readonly pid: number
  context: PublishedContext | null
  /** On performance.now()'s clock; Infinity while it is in the queue. */
  contextDueMs: number
  contextPauseMs: number
}

const FIRST_PAUSE_MS = 5_000
const LAST_PAUSE_MS = 300_000
/** One that has published is looked at more often: its header is 32 bytes, and no search. */
const PUBLISHED_PAUSE_MS = 30_000
/** Processes that start one after the other are asked together: each time the loop wakes up costs more than a search. */
const ROUND_MS = 250
const TICK_MS = 50
const PER_TICK = 4 // searches, 0.3 ms each at worst
const MAX_WAITING = 4096

export class ContextQueue {
  /** Outcomes since start: read, absent, refused_attributes, queue_full and the faults. */
  readonly counts: Record<string, number> = {}
  private readonly reader = new ContextReader()
  private waiting: { target: ContextTarget; dueMs: number }[] = []
  private timer: NodeJS.Timeout | null = null
  /** When the timer is due; never while there is none. */
  private tickMs = Number.POSITIVE_INFINITY
  private closed = false

  /** Asks for the context of a process `delayMs` from now. */
  want(target: ContextTarget, delayMs: number): void {
    if (this.closed) return
    if (this.waiting.length >= MAX_WAITING) {
      this.count('queue_full')
      target.contextDueMs = performance.now() + FIRST_PAUSE_MS
      return
    }
    target.contextDueMs = Infinity
    const dueMs = ROUND_MS * Math.ceil((performance.now() + delayMs) / ROUND_MS)
    this.waiting.push({ target, dueMs })
    if (dueMs >= this.tickMs) return
    if (this.timer) clearTimeout(this.timer)
    this.timer = this.nextTick()
  }

  /** True after a read of a process's memory that did not come back. */
  get stalled(): boolean {
    return this.reader.stalled
  }

  /** Forgets who waits. Safe twice. */
  close(): void {
    this.closed = true
    this.waiting = []
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
  }

  /** For who is due first; null when nobody waits. */
  private nextTick(): NodeJS.Timeout | null {
    this.tickMs = this.waiting.reduce((first, { dueMs }) => Math.min(first, dueMs), Number.POSITIVE_INFINITY)
    if (this.closed || this.waiting.length === 0) return null
    return setTimeout(() => void this.tick(), Math.max(TICK_MS, this.tickMs - performance.now())).unref()
  }

  private async tick(): Promise<void> {
    this.tickMs = Number.NEGATIVE_INFINITY // whoever comes meanwhile is seen at the end
    const now = performance.now()
    const due = this.waiting.filter(({ dueMs }) => dueMs <= now).slice(0, PER_TICK)
    this.waiting = this.waiting.filter((one) => !due.includes(one))
    for (const { target } of due) {
      await this.ask(target)
      const longest = target.context ? PUBLISHED_PAUSE_MS : LAST_PAUSE_MS
      target.contextPauseMs = Math.min(longest, Math.max(FIRST_PAUSE_MS, target.contextPauseMs * 4))
      target.contextDueMs = performance.now() + target.contextPauseMs
    }
    this.timer = this.nextTick()
  }

  private async ask(target: ContextTarget): Promise<void> {
    const address = target.context?.address ?? findContext(target.pid)
    if (address === null) return this.count('absent')
    if (address === 'maps_too_long') return this.count(address)
    const outcome = await this.reader.readAt(target.pid, address, target.context)
    if (outcome === null) return // the process is gone; what it last said holds
    if (typeof outcome === 'string') return this.onFault(target, outcome)
    if (outcome === target.context) return
    this.count('read')
    if (outcome.refused > 0) this.count('refused_attributes', outcome.refused)
    target.context = outcome
  }

  private onFault(target: ContextTarget, fault: ContextFault): void {
    this.count(fault)
    // Unmapped, or another mapping is there now: the next search starts afresh.
    if (fault === 'header' || fault === 'unreadable') target.context = null
  }

  private count(outcome: string, by = 1): void {
    this.counts[outcome] = (this.counts[outcome] ?? 0) + by
  }
}
