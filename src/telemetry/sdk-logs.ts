/** Our log as records of the OpenTelemetry SDK. */
import { type Logger, SeverityNumber } from '@opentelemetry/api-logs'
import type { Resource } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs'
import type { LogLevel, LogRecord } from '../log/record.ts'
import { SCOPE } from './scope.ts'

const SEVERITIES: Readonly<Record<LogLevel, SeverityNumber>> = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
}
const SEND_AFTER_MS = 5000
const QUEUE_MAX = 512

export interface LogsOptions {
  readonly exporter: LogRecordExporter
  readonly resource: Resource
  readonly timeoutMs: number
  readonly version: string
}

export function startLogs({ exporter, resource, timeoutMs, version }: LogsOptions): {
  readonly provider: LoggerProvider
  readonly emit: (record: LogRecord) => void
} {
  const processor = new BatchLogRecordProcessor({
    exporter,
    scheduledDelayMillis: SEND_AFTER_MS,
    exportTimeoutMillis: timeoutMs,
    maxQueueSize: QUEUE_MAX,
    maxExportBatchSize: QUEUE_MAX,
  })
  const provider = new LoggerProvider({ resource, processors: [processor] })
  const logger = provider.getLogger(SCOPE, version)
  return { provider, emit: (record) => emit(logger, record) }
}

function emit(logger: Logger, { timeMs, level, component, message, fields }: LogRecord): void {
  const known = Object.entries(fields).filter(([, value]) => value !== null)
  logger.emit({
    timestamp: timeMs,
    severityNumber: SEVERITIES[level],
    severityText: level,
    body: message,
    attributes: { component, ...Object.fromEntries(known) } as Record<string, string | number | boolean>,
  })
}
