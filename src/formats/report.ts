/**
 * The object that `--json` prints, `emberscope.report/1`. Its schema is report.schema.json beside this file; README
 * documents it, and both are a promise: keys are added, never changed.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { shareColumn } from '../model/sample-count.ts'
import { topFunctions } from '../model/top.ts'
import { wilson } from '../stats/interval.ts'
import { type CaptureFigures, captureFigures } from './capture-json.ts'

/** Value of the report's `schema` key. */
export const REPORT_SCHEMA = 'emberscope.report/1'

/** Functions in `top`: enough to draw conclusions from, few enough to read. */
const TOP_FUNCTIONS = 100

/** A file that was written. */
export interface ReportFile {
  readonly path: string
  /** 'html', 'pprof', 'folded', 'speedscope' or 'json'. */
  readonly format: string
  readonly bytes: number
}

export interface Report extends CaptureFigures {
  readonly schema: typeof REPORT_SCHEMA
  /**
   * Most self samples first; `self` and `total` in samples, `ci95` of self as fractions of all samples. With `rates` these are
   * samples of the lowest rate: what CPU time they would be.
   */
  readonly top: readonly {
    readonly name: string
    readonly file: string
    readonly self: number
    readonly total: number
    readonly ci95: readonly [low: number, high: number]
  }[]
  readonly files: readonly ReportFile[]
}

/** The report of a profile that we captured. Throws AgentError internal for one without a capture report. */
export function buildReport(profile: Profile, files: readonly ReportFile[]): Report {
  if (!profile.capture)
    throw new AgentError('internal', 'cannot report on a profile that was not captured here')
  const { column, weight } = shareColumn(profile)
  const all = (profile.samples.values[column]?.reduce((sum, value) => sum + value, 0) ?? 0) / weight
  const { notes, ...figures } = captureFigures(profile.capture)
  return {
    schema: REPORT_SCHEMA,
    ...figures,
    top: topFunctions(profile, column)
      .slice(0, TOP_FUNCTIONS)
      .map(({ name, file, self, total }) => {
        const { low, high } = wilson(self / weight, all)
        return { name, file, self: self / weight, total: total / weight, ci95: [low, high] as const }
      }),
    files: files.map(({ path, format, bytes }) => ({ path, format, bytes })),
    notes,
  }
}
