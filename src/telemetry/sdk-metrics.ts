/** Our rows as observable instruments of the OpenTelemetry SDK: the same names and labels as in /metrics. */
import type { Observable } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import { METRICS } from '../metrics/catalog.ts'
import type { MetricSource } from '../metrics/rows.ts'
import { SCOPE } from './scope.ts'

/** Units by the last word of a name that is one, in UCUM. */
const UNITS: Readonly<Record<string, string>> = { seconds: 's', bytes: 'By', ratio: '1', hertz: 'Hz' }

export interface MeterOptions {
  readonly exporter: PushMetricExporter
  readonly resource: Resource
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly version: string
  readonly rows: MetricSource
}

export function startMetrics(options: MeterOptions): MeterProvider {
  const { exporter, resource, intervalMs, timeoutMs, version, rows } = options
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    // The SDK refuses a timeout above the interval.
    exportTimeoutMillis: Math.min(timeoutMs, intervalMs),
  })
  const provider = new MeterProvider({ resource, readers: [reader] })
  const meter = provider.getMeter(SCOPE, version)
  const instruments = new Map<string, Observable>()
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    const about = { description: help, unit: unitOf(name) }
    const create = type === 'counter' ? meter.createObservableCounter : meter.createObservableGauge
    instruments.set(name, create.call(meter, name, about))
  }
  meter.addBatchObservableCallback(
    (result) => {
      for (const { name, value, labels } of rows()) {
        const instrument = instruments.get(name)
        if (instrument !== undefined && Number.isFinite(value))
          result.observe(instrument, value, labels ?? {})
      }
    },
    [...instruments.values()],
  )
  return provider
}

function unitOf(name: string): string {
  const words = name.replace(/_total$/, '').split('_')
  return UNITS[words.at(-1)!] ?? '1'
}
