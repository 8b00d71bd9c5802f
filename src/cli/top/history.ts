/** The last minute of windows, and the rows that a view of some seconds of it shows. */
import { mergeReports } from '../../model/merge-reports.ts'
import type { CaptureReport, Profile } from '../../model/profile.ts'
import { type WindowFunctions, windowFunctions } from './window-functions.ts'

export type SortColumn = 'self' | 'total'

/** A function over the time that is shown; counts are samples. */
export interface TopRow {
  readonly key: string
  readonly name: string
  readonly file: string
  readonly self: number
  readonly total: number
  /** The process it ran in most, and how many others. */
  readonly process: string
  readonly otherProcesses: number
}

/** Everything a frame of the view shows but its state. */
export interface TopData {
  readonly rows: readonly TopRow[]
  /** Samples of the time that is shown. */
  readonly samples: number
  readonly seconds: number
  readonly capture: CaptureReport | null
}

/** Windows kept: the sparkline's minute. */
export const HISTORY_WINDOWS = 60

/** Grows by a window at a time, up to HISTORY_WINDOWS. */
export class TopHistory {
  #windows: WindowFunctions[] = []
  #profiles: Profile[] = []

  add(profile: Profile): void {
    this.#windows = [...this.#windows, windowFunctions(profile)].slice(-HISTORY_WINDOWS)
    this.#profiles = [...this.#profiles, profile].slice(-HISTORY_WINDOWS)
  }

  /** A history of its own with the same windows, which newer ones do not change. */
  frozen(): TopHistory {
    const copy = new TopHistory()
    copy.#windows = this.#windows
    copy.#profiles = this.#profiles
    return copy
  }

  get length(): number {
    return this.#windows.length
  }

  /** The newest windows as they were captured, oldest first. */
  profiles(windows: number): readonly Profile[] {
    return this.#profiles.slice(-windows)
  }

  /** The functions of the newest windows whose name or process has `filter` in it, heaviest first. */
  data(windows: number, sort: SortColumn, filter: string): TopData {
    const newest = this.#windows.slice(-windows)
    const sums = new Map<string, Sum>()
    for (const { functions } of newest) for (const [key, weight] of functions) addTo(sums, key, weight)
    const wanted = filter.toLowerCase()
    const rows = [...sums.values()].map(rowOf).filter((row) => matches(row, wanted))
    const other = sort === 'self' ? 'total' : 'self'
    rows.sort((a, b) => b[sort] - a[sort] || b[other] - a[other] || (a.key < b.key ? -1 : 1))
    return {
      rows,
      samples: newest.reduce((sum, window) => sum + window.samples, 0),
      seconds: newest.reduce((sum, window) => sum + window.seconds, 0),
      capture: mergeReports(newest.flatMap(({ capture }) => (capture === null ? [] : [capture]))),
    }
  }

  /** Samples of a function by window, oldest first, HISTORY_WINDOWS numbers; 0 before the first window. */
  past(key: string, sort: SortColumn): number[] {
    const counts = this.#windows.map(({ functions }) => functions.get(key)?.[sort] ?? 0)
    return [...new Array<number>(HISTORY_WINDOWS - counts.length).fill(0), ...counts]
  }
}

interface Sum {
  readonly key: string
  readonly name: string
  readonly file: string
  self: number
  total: number
  readonly byProcess: Map<string, number>
}

function addTo(sums: Map<string, Sum>, key: string, weight: Omit<Sum, 'key'>): void {
  const { name, file, self, total, byProcess } = weight
  let sum = sums.get(key)
  if (sum === undefined) {
    sum = { key, name, file, self: 0, total: 0, byProcess: new Map() }
    sums.set(key, sum)
  }
  sum.self += self
  sum.total += total
  for (const [process, count] of byProcess)
    sum.byProcess.set(process, (sum.byProcess.get(process) ?? 0) + count)
}

function rowOf({ byProcess, ...sum }: Sum): TopRow {
  let [process, most] = ['', 0]
  for (const [name, count] of byProcess) if (count > most) [process, most] = [name, count]
  return { ...sum, process, otherProcesses: Math.max(0, byProcess.size - 1) }
}

function matches(row: TopRow, wanted: string): boolean {
  return (
    wanted === '' || [row.name, row.process, row.file].some((text) => text.toLowerCase().includes(wanted))
  )
}
