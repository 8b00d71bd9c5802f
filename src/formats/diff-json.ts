/**
 * The object that `profile diff --json` prints, `emberscope.diff/1`. Its schema is diff.schema.json beside this file;
 * both are a promise: keys are added, never changed.
 */
import type { ValueType } from '../model/profile.ts'
import type { DiffMeasure, DiffScale, DiffTable, SideTotal, Verdict } from '../stats/diff-table.ts'
import { isSignificant, scaled, VERDICTS } from '../stats/diff-table.ts'
import { FAMILY_LEVEL } from '../stats/family.ts'
import type { DiffReport } from './diff-report.ts'

/** Value of the object's `schema` key. */
export const DIFF_SCHEMA = 'emberscope.diff/1'

/** Functions in the list, where not more are significant. */
const FUNCTIONS = 1000

/** One profile as a whole. */
interface SideJson {
  readonly file: string
  /** Null when the producer didn't let us know. */
  readonly samples: number | null
  /** In the unit of the column. */
  readonly value: number
  readonly seconds: number | null
}

/** Self or total of one function; before, after, change and ci95 in the scale: a fraction, unit per second, or unit. */
interface MeasureJson {
  readonly verdict: Verdict
  readonly before: number | null
  readonly after: number | null
  readonly before_samples: number | null
  readonly after_samples: number | null
  readonly change: number | null
  readonly ci95: readonly [low: number, high: number] | null
  readonly p: number | null
  /** For all functions of the diff together. */
  readonly adjusted_p: number | null
}

interface FunctionJson {
  readonly name: string
  readonly module: string
  readonly file: string
  readonly verdict: Verdict
  readonly self: MeasureJson
  readonly total: MeasureJson
}

export interface DiffJson {
  readonly schema: typeof DIFF_SCHEMA
  readonly verdict: string
  readonly scale: DiffScale
  readonly column: ValueType
  readonly before: SideJson
  readonly after: SideJson
  readonly per_second_ratio: {
    readonly value: number | null
    readonly ci95: readonly [low: number, high: number | null]
  } | null
  readonly family: { readonly level: number; readonly tests: number }
  /** Number of functions by verdict. */
  readonly counts: Readonly<Record<Verdict, number>>
  readonly fail: { readonly points: number; readonly functions: readonly string[] } | null
  /** The significant ones, and of the others those whose totals changed most; the latter first where they changed more. */
  readonly functions: readonly FunctionJson[]
  readonly notes: readonly string[]
}

/** The object for a report. */
export function diffJson(report: DiffReport): DiffJson {
  const { table, gate, ratePerSecond: rate } = report
  return {
    schema: DIFF_SCHEMA,
    verdict: report.verdict,
    scale: table.scale,
    column: { type: report.column.type, unit: report.column.unit },
    before: sideJson(table.before, report.files.before),
    after: sideJson(table.after, report.files.after),
    per_second_ratio: rate && {
      value: known(rate.value),
      ci95: [rate.low, known(rate.high)],
    },
    family: { level: FAMILY_LEVEL, tests: table.tests },
    counts: report.ranking.counts,
    fail: gate && {
      points: gate.points,
      functions: gate.failed.map(({ fn }) => table.functions.name[fn]!),
    },
    functions: listed(table).map((fn) => functionJson(table, fn)),
    notes: [...report.notes],
  }
}

/** By the size of the larger change; every significant function is among them. */
function listed({ total, self, verdict }: DiffTable): number[] {
  const size = (fn: number): number => Math.max(Math.abs(self.change[fn]!), Math.abs(total.change[fn]!)) || 0
  const seen = Array.from(verdict, (_, fn) => fn).filter(
    (fn) => total.before[fn] !== 0 || total.after[fn] !== 0,
  )
  seen.sort((a, b) => size(b) - size(a) || a - b)
  return seen.filter((fn, rank) => rank < FUNCTIONS || isSignificant(verdict[fn]!))
}

function sideJson({ samples, value, seconds }: SideTotal, file: string): SideJson {
  return { file, samples, value, seconds: seconds > 0 ? seconds : null }
}

function functionJson(table: DiffTable, fn: number): FunctionJson {
  const { name, module, file } = table.functions
  return {
    name: name[fn]!,
    module: module[fn]!,
    file: file[fn]!,
    verdict: VERDICTS[table.verdict[fn]!]!,
    self: measureJson(table, table.self, fn),
    total: measureJson(table, table.total, fn),
  }
}

function measureJson({ before, after }: DiffTable, measure: DiffMeasure, fn: number): MeasureJson {
  const [a, b] = [measure.before[fn]!, measure.after[fn]!]
  const [low, high] = [known(measure.low[fn]!), known(measure.high[fn]!)]
  return {
    verdict: VERDICTS[measure.verdict[fn]!]!,
    before: known(scaled(a, before)),
    after: known(scaled(b, after)),
    before_samples: samplesOf(a, before),
    after_samples: samplesOf(b, after),
    change: known(measure.change[fn]!),
    ci95: low === null || high === null ? null : [low, high],
    p: known(measure.p[fn]!),
    adjusted_p: known(measure.adjustedP[fn]!),
  }
}

function samplesOf(weight: number, { sampleWeight }: SideTotal): number | null {
  return sampleWeight === null ? null : Math.round(weight / sampleWeight)
}

/** JSON has no NaN and no infinity. */
function known(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
