/**
 * One number of ours, as every exposition of it starts: the Prometheus text and OTLP metrics are two spellings of rows.
 *
 * Names follow Prometheus: `emberscope_` first, base units (seconds, bytes) and `_total` for counters last. The set of
 * label values of a name is fixed by our code (reasons, stages, destinations of the configuration), never by the host
 * (pids, names of containers): what a scrape costs must not depend on what runs here.
 */

export interface MetricRow {
  readonly name: string
  readonly help: string
  /** A counter only grows while the process lives; a gauge is a state. */
  readonly type: 'counter' | 'gauge'
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** Reads a stage's counters now; cheap, as every scrape calls it. */
export type MetricSource = () => readonly MetricRow[]
