/**
 * The way of a window through the agent: whose it is, bytes for the wire, the queue, the recorder. One window at a
 * time, in order; what cannot go on is dropped and counted by reason, and never stops the next.
 */
import type { Log } from '../log/log.ts'
import { metric, metricBy } from '../metrics/catalog.ts'
import type { MetricRow } from '../metrics/rows.ts'
import type { Profile } from '../model/profile.ts'
import type { Steps } from '../model/steps.ts'
import type { EncodedRequest, ProducerScope, ResourceSplit } from '../otlp/encode.ts'
import type { WindowStep, WindowTrace } from '../telemetry/window-trace.ts'
import { splitByResource, type WhoIsThis } from './resource-split.ts'
import { inSlices } from './slices.ts'

/** The stages as the flow uses them; asked at each window, since a reload may replace them. */
export interface FlowStages {
  readonly identity: WhoIsThis
  encode(
    profile: Profile,
    split: ResourceSplit,
    scope: ProducerScope,
    maxBytes: number,
    onTooLarge: (samples: number) => void,
  ): Steps<EncodedRequest[]>
  /** Resolves when the queue has them. */
  enqueue(requests: readonly EncodedRequest[]): Promise<void>
  /** To the recorder and whoever looks on. */
  publish(profile: Profile): Steps<void>
  readonly maxRequestBytes: number
  /** Told of each window, once it is done. */
  trace(trace: WindowTrace): void
}

/** Why a window did not go all its way; the first three never reach the queue. */
type Loss = 'behind' | 'encode' | 'enqueue' | 'record'

/** Windows that may wait for a disk that does not answer. */
const WAITING_MAX = 6

export class WindowFlow {
  readonly #stages: () => FlowStages
  readonly #scope: ProducerScope
  readonly #log: Log
  readonly #dropped: Record<Loss, number> = { behind: 0, encode: 0, enqueue: 0, record: 0 }
  /** Settles when every window taken so far has gone its way; it never rejects. */
  #tail: Promise<void>
  #waiting = 0
  #exportMs = 0
  /** Samples that no request could hold. */
  #tooLarge = 0

  /** Windows wait for `ready`, which never rejects: the first may be closed before its stages are there. */
  constructor(ready: Promise<void>, stages: () => FlowStages, scope: ProducerScope, log: Log) {
    this.#tail = ready
    this.#stages = stages
    this.#scope = scope
    this.#log = log
  }

  take(profile: Profile): void {
    if (this.#waiting >= WAITING_MAX) {
      this.#dropped.behind++
      this.#log.warn('a window is dropped: those before it still wait for the queue')
      return
    }
    this.#waiting++
    this.#tail = this.#tail.then(async () => {
      await this.#pass(profile)
      this.#waiting--
    })
  }

  /** Resolves when every window taken so far is in the queue, or was given up. */
  settled(): Promise<void> {
    return this.#tail
  }

  rows(): MetricRow[] {
    return [
      ...metricBy('emberscope_windows_dropped_total', 'reason', this.#dropped),
      metric('emberscope_samples_too_large_total', this.#tooLarge),
      metric('emberscope_window_export_seconds', this.#exportMs / 1000),
    ]
  }

  async #pass(profile: Profile): Promise<void> {
    const startMs = Date.now()
    const steps: WindowStep[] = []
    const step = async (name: Loss, work: () => unknown): Promise<string> => {
      const stepMs = Date.now()
      try {
        await work()
        return ''
      } catch (error) {
        this.#dropped[name]++
        this.#log.error('a window is lost to a stage', { stage: name, error: error as Error })
        return `${name}: ${(error as Error).message}`
      } finally {
        steps.push({ name, startMs: stepMs, endMs: Date.now() })
      }
    }
    let requests: readonly EncodedRequest[] = []
    let fault = await step('encode', async () => {
      requests = await this.#encoded(profile)
    })
    if (requests.length > 0) fault ||= await step('enqueue', () => this.#stages().enqueue(requests))
    const unrecorded = await step('record', () => inSlices(this.#stages().publish(profile)))
    const samples = profile.samples.stack.length
    this.#stages().trace({
      name: 'window',
      startMs,
      endMs: Date.now(),
      samples,
      steps,
      fault: fault || unrecorded,
    })
  }

  async #encoded(profile: Profile): Promise<EncodedRequest[]> {
    if (profile.samples.stack.length === 0) return []
    let spentMs = 0
    const requests = await inSlices(this.#encodeSteps(profile), (ms) => {
      spentMs += ms
    })
    this.#exportMs = spentMs
    return requests
  }

  *#encodeSteps(profile: Profile): Steps<EncodedRequest[]> {
    const { identity, encode, maxRequestBytes } = this.#stages()
    const split = splitByResource(profile, identity)
    yield
    return yield* encode(profile, split, this.#scope, maxRequestBytes, (samples) => {
      this.#tooLarge += samples
      this.#log.warn('samples are dropped: their stack alone is larger than maxRequestBytes', { samples })
    })
  }
}
