/** What was done with each window as a span of the OpenTelemetry SDK, its steps as children. Told when it is over. */
import { ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import { SCOPE } from './scope.ts'
import type { WindowTrace } from './window-trace.ts'

const SEND_AFTER_MS = 5000
const QUEUE_MAX = 512

export interface TracesOptions {
  readonly exporter: SpanExporter
  readonly resource: Resource
  readonly timeoutMs: number
  readonly version: string
}

export function startTraces({ exporter, resource, timeoutMs, version }: TracesOptions): {
  readonly provider: TracerProvider
  readonly tell: (window: WindowTrace) => void
} {
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: SEND_AFTER_MS,
    exportTimeoutMillis: timeoutMs,
    maxQueueSize: QUEUE_MAX,
    maxExportBatchSize: QUEUE_MAX,
  })
  const provider = new TracerProvider({ resource, spanProcessors: [processor] })
  const tracer = provider.getTracer(SCOPE, version)
  return { provider, tell: (window) => tell(tracer, window) }
}

function tell(tracer: Tracer, { name, startMs, endMs, samples, steps, fault }: WindowTrace): void {
  const attributes = { 'emberscope.window.samples': samples }
  const whole = tracer.startSpan(name, { startTime: startMs, attributes }, ROOT_CONTEXT)
  const inside = trace.setSpan(ROOT_CONTEXT, whole)
  for (const step of steps)
    tracer.startSpan(step.name, { startTime: step.startMs }, inside).end(Math.max(step.startMs, step.endMs))
  if (fault !== '') whole.setStatus({ code: SpanStatusCode.ERROR, message: fault })
  whole.end(Math.max(startMs, endMs))
}
