/**
 * A capture without end: one sampler, a profile for every window, in bounded memory. What a window needs is made with
 * it and freed with it; what outlives windows (processes, open files, names) is forgotten by age or by a limit.
 */
import { cpus } from 'node:os'
import { Aggregator } from '../aggregate/aggregator.ts'
import { AgentError } from '../errors.ts'
import { type Addon, loadAddon } from '../native/addon.ts'
import type { NativeSampler } from '../native/sampler.ts'
import { withDescendants } from '../process/descendants.ts'
import { ExecutableTable } from '../process/executable-table.ts'
import { HeldFiles } from '../process/held-files.ts'
import { ProcessTable } from '../process/process-table.ts'
import { NameCache } from '../symbolize/name-cache.ts'
import type { ContinuousRequest, ContinuousSinks, ContinuousStats } from './continuous-types.ts'
import { openSampler, worded } from './open-sampler.ts'
import { PAUSE_MS_WITH_EVENTS, Pace } from './pace.ts'
import { ProcessSurvey } from './process-survey.ts'
import { droppedBy, Pump } from './pump.ts'
import { ONE_RATE, periodsOf, type RatePlan, ratesUsed } from './rate-plan.ts'
import { rawRingBytes, ringBytes } from './ring-size.ts'
import { startBootNs } from './self-cost.ts'
import { bpfCostOf, sumOfCounts, WindowBooks } from './window-books.ts'
import { WindowClock } from './window-clock.ts'
import { WindowNamer } from './window-namer.ts'

export type * from './continuous-types.ts'

const RATE_HZ_MAX = 999
const RAW_RING_BYTES_MIN = 1024 * 1024
/** Samples may sit in the ring while their CPU is still writing them; parked ones wait longer. */
const LATE_NS = 2e9
const PARKED_NS = 15e9

/** All that is open between start() and stop(). */
interface Session {
  readonly addon: Addon
  readonly sampler: NativeSampler
  readonly processes: ProcessTable
  readonly survey: ProcessSurvey
  readonly files: HeldFiles
  readonly pump: Pump
  readonly pace: Pace
  readonly clock: WindowClock
  readonly namer: WindowNamer
  readonly books: WindowBooks
  readonly rings: { readonly samples: number; readonly rawStacks: number }
  /** Of the window that is open. */
  executables: ExecutableTable
  aggregator: Aggregator
  timer: NodeJS.Timeout | undefined
}

export class Continuous {
  readonly #request: ContinuousRequest
  readonly #sinks: ContinuousSinks
  readonly #plan: RatePlan
  #rateHz: number
  #session: Session | null = null
  #stopping: Promise<void> | null = null
  #windows = 0
  readonly #ringUse = { samples: 0, rawStacks: 0 }
  /** After stop(). */
  #lastStats: ContinuousStats | null = null

  constructor(request: ContinuousRequest, sinks: ContinuousSinks) {
    this.#request = request
    this.#plan = request.plan ?? ONE_RATE
    this.#sinks = sinks
    this.#rateHz = checkedRate(request.rateHz)
  }

  /** Opens the sampler and starts it; samples are taken when it resolves. Errors: AgentError; nothing stays open then. */
  async start(): Promise<void> {
    if (this.#session || this.#stopping) throw new AgentError('internal', 'a continuous capture starts once')
    loadAddon().returnFreedMemory()
    const sampler = openSampler(this.#samplerRequest())
    try {
      this.#session = this.#open(sampler)
      this.#seed(this.#session)
      worded(() => sampler.start())
    } catch (error) {
      this.#session = null
      sampler.close()
      throw error
    }
    this.#session.addon.startPauseMeter()
    this.#rest(this.#session)
    this.#session.survey.begin()
  }

  #samplerRequest() {
    const { filters, kernelStacks } = this.#request
    return {
      plan: this.#plan,
      byPid: filters.pids.length > 0,
      rateHz: this.#rateHz,
      kernelStacks,
      cgroupPaths: filters.cgroupPaths,
      comms: filters.comms,
      pidNamespaces: filters.pidNamespaces ?? [],
      rawRingBytes: rawRingBytesOf(this.#rateHz),
    }
  }

  #open(sampler: NativeSampler): Session {
    const addon = loadAddon()
    const processes = new ProcessTable(addon.abi.eventKinds)
    const files = new HeldFiles()
    const executables = new ExecutableTable(files)
    const aggregator = new Aggregator(processes, executables, addon.abi.stackEnds)
    const pump = new Pump(sampler, processes, aggregator, addon.abi)
    const clock = { bootNs: addon.bootTimeNs, unixMs: Date.now, random: Math.random }
    return {
      addon,
      sampler,
      processes,
      survey: new ProcessSurvey(processes, this.#request.filters.pids.length === 0),
      files,
      pump,
      pace: new Pace(),
      clock: new WindowClock(this.#request, clock),
      namer: new WindowNamer(addon, new NameCache(addon), (profile) => this.#sinks.onWindow(profile)),
      books: new WindowBooks(sampler, pump.counters()),
      rings: {
        samples: ringBytes(this.#rateHz, cpus().length),
        rawStacks: rawRingBytesOf(this.#rateHz),
      },
      executables,
      aggregator,
      timer: undefined,
    }
  }

  #seed({ sampler, processes }: Session): void {
    const { pids } = this.#request.filters
    if (pids.length === 0) return
    for (const pid of withDescendants(pids, process.pid)) {
      worded(() => sampler.addTarget(pid))
      processes.snapshot(pid)
    }
  }

  #rest(session: Session): void {
    const { sampler, pump, pace } = session
    const ringUse = Math.max(this.#ringUseNow(session, 'samples'), this.#ringUseNow(session, 'rawStacks'))
    const pauseMs = pace.after({ waiting: sampler.waitingStacks, events: pump.events, ringUse })
    session.timer = setTimeout(() => this.#turn(session), Math.max(0, Math.min(pauseMs, leftMs(session))))
  }

  #ringUseNow({ sampler, rings }: Session, ring: 'samples' | 'rawStacks'): number {
    const use = sampler.drainedBytes[ring] / rings[ring]
    this.#ringUse[ring] = Math.max(this.#ringUse[ring], use)
    return use
  }

  #turn(session: Session): void {
    const isOver = leftMs(session) <= 0
    if (isOver) this.#closeWindow(session)
    else this.#pumpOnce(session)
    this.#rest(session)
  }

  #pumpOnce({ addon, sampler, pump, processes, aggregator }: Session): void {
    pump.turn()
    const lateNs = sampler.waitingStacks > 0 ? PARKED_NS : LATE_NS
    processes.forget(addon.bootTimeNs() - lateNs)
    const seen = aggregator.takeNewProcesses()
    if (seen.length > 0) this.#sinks.onProcesses(seen)
  }

  /** Hands the window to be named, and begins the next one where it ends. */
  #closeWindow(session: Session): void {
    const { addon, clock, pump, sampler, files, processes } = session
    const nowNs = addon.bootTimeNs()
    this.#pumpOnce(session)
    const endNs = Math.max(nowNs, pump.newestSampleNs + 1)
    this.#windows++
    session.namer.add(this.#closed(session, endNs))
    sampler.forgetStacks()
    session.executables = new ExecutableTable(files)
    session.aggregator = new Aggregator(processes, session.executables, session.addon.abi.stackEnds)
    pump.beginWindow(session.aggregator)
    clock.begin(endNs)
    files.sweep()
    session.survey.again()
  }

  #closed({ clock, aggregator, executables, pump, books, processes }: Session, endNs: number) {
    const { pids } = this.#request.filters
    executables.openLatePerfMaps()
    const durationNs = endNs - clock.startNs
    const periodsNs = periodsOf(this.#plan, this.#rateHz)
    const rates = ratesUsed(this.#plan, this.#rateHz, aggregator.countByRule())
    const report = books.close({
      target: { kind: pids.length > 0 ? 'pids' : 'all', name: '', pids },
      rateHz: this.#plan.baseShare * this.#rateHz,
      rates,
      durationNs,
      kept: aggregator.size,
      quality: pump.stackQuality(),
      counters: pump.counters(),
      lostEvents: processes.lostEvents,
      startToFirstSampleNs: startToFirstSampleNs(pump),
    })
    const window = aggregator.toWindow({
      timeNs: clock.unixNs,
      bootTimeNs: clock.startNs,
      durationNs,
      periodNs: periodsNs[0]!,
      periodsNs,
    })
    return { window, executables, report }
  }

  /**
   * Samples per second and CPU, the highest, from the next tick on; the others change with it. The window ends here, so that each has one rate.
   * Errors: AgentError `usage` for a rate that is none.
   */
  setRate(rateHz: number): void {
    checkedRate(rateHz)
    const session = this.#session
    if (!session || rateHz === this.#rateHz) {
      this.#rateHz = rateHz
      return
    }
    this.#closeWindow(session)
    worded(() => session.sampler.setRate(rateHz))
    this.#rateHz = rateHz
  }

  /** Sums since the start. After stop() the last ones. Errors: AgentError `internal` before start(). */
  stats(): ContinuousStats {
    if (this.#lastStats) return this.#lastStats
    if (!this.#session)
      throw new AgentError('internal', 'a continuous capture has no figures before it starts')
    return this.#statsOf(this.#session)
  }

  #statsOf(session: Session): ContinuousStats {
    const { addon, sampler, pump, books, namer, processes, aggregator } = session
    const counters = pump.counters()
    const bpf = bpfCostOf(counters)
    const { kept, complete, approximate, truncated, named, unnamed } = books.sums
    const open = pump.stackQuality()
    const dropped = droppedBy(counters)
    const captured = counters.captured ?? 0
    const keptNow = kept + aggregator.size
    const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0)
    const rates = ratesUsed(this.#plan, this.#rateHz, []) ?? []
    return {
      rateHz: this.#rateHz,
      targetRates: new Map(rates.map(({ target, rateHz }) => [target, rateHz])),
      thinned: counters.thinned ?? 0,
      event: sampler.event,
      unwinder: sampler.unwinder,
      captured,
      kept: keptNow,
      waiting: Math.max(0, captured - keptNow - lost),
      dropped,
      stacks: {
        complete: complete + open.complete,
        approximate: approximate + open.approximate,
        truncated: sumOfCounts(truncated, open.truncated),
      },
      frames: { named, unnamed },
      bpfNs: bpf.timeNs,
      bpfRuns: bpf.runs,
      lostEvents: processes.lostEvents,
      ringUse: { ...this.#ringUse },
      windows: this.#windows,
      windowsWaiting: namer.waiting,
      lastWindowJsMs: namer.lastWindowJsMs,
      longestPauseMs: addon.longestPauseMs(),
      mapBytes: books.mapBytes,
      startToFirstSampleNs: startToFirstSampleNs(pump),
    }
  }

  /** Hands out the last window and frees everything; resolves when its receiver has it. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const session = this.#session
    if (!session) return
    clearTimeout(session.timer)
    session.survey.end()
    session.sampler.stop()
    this.#closeWindow(session)
    await session.namer.idle()
    this.#lastStats = this.#statsOf(session)
    this.#session = null
    session.sampler.close()
    session.executables.close()
    session.files.close()
  }
}

/** Until the window may be closed. One goes on while many wait for their names: so they cost time, but neither memory nor samples. */
function leftMs({ clock, namer }: Session): number {
  return namer.isFull ? Number.POSITIVE_INFINITY : clock.leftMs
}

/** Misses come with new processes, and then the pump turns oftener; a low rate has a burst at its start all the same. */
function rawRingBytesOf(rateHz: number): number {
  return Math.max(RAW_RING_BYTES_MIN, rawRingBytes(rateHz, cpus().length, PAUSE_MS_WITH_EVENTS))
}

function checkedRate(rateHz: number): number {
  if (Number.isInteger(rateHz) && rateHz >= 1 && rateHz <= RATE_HZ_MAX) return rateHz
  throw new AgentError('usage', `the rate must be an integer from 1 to ${RATE_HZ_MAX} Hz, got ${rateHz}`)
}

function startToFirstSampleNs({ firstSampleNs }: Pump): number {
  return Number.isNaN(firstSampleNs) ? 0 : Math.max(0, firstSampleNs - startBootNs())
}
