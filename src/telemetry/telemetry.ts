/**
 * Our own metrics, logs and traces over OTLP, by the OpenTelemetry SDK. The SDK takes megabytes, so it is loaded here and
 * only for the signals that are wanted. What cannot be sent is counted and forgotten: metrics are sums, and the next
 * export repeats them.
 */
import { AgentError } from '../errors.ts'
import type { LogRecord } from '../log/record.ts'
import type { Attributes } from '../model/attributes.ts'
import { grpcPost } from './grpc-post.ts'
import { httpPost } from './http-post.ts'
import { type Post, type Signal, signalUrl, type TelemetryOptions, type TelemetryStats } from './options.ts'
import { type ExportCounts, PostExporter } from './post-exporter.ts'
import type { WindowTrace } from './window-trace.ts'

type Transformer = typeof import('@opentelemetry/otlp-transformer')
type Resource = ReturnType<typeof import('@opentelemetry/resources').resourceFromAttributes>

interface Provider {
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/** The component our own faults are logged under: records of it are not exported, or each failure would be the next export. */
const OWN_COMPONENT = 'telemetry'

export class Telemetry {
  readonly #options: TelemetryOptions
  readonly #providers: Provider[] = []
  readonly #counts: Partial<Record<Signal, ExportCounts>> = {}
  #emit: ((record: LogRecord) => void) | undefined
  #tell: ((window: WindowTrace) => void) | undefined
  #closePost: () => void = () => {}

  private constructor(options: TelemetryOptions) {
    this.#options = options
  }

  /** Loads the SDK and starts exporting. Errors: AgentError usage for an endpoint that cannot be one. */
  static async start(options: TelemetryOptions): Promise<Telemetry> {
    const telemetry = new Telemetry(options)
    const post = await telemetry.#connect()
    const [transformer, resource] = await Promise.all([
      import('@opentelemetry/otlp-transformer'),
      resourceOf(options),
    ])
    for (const signal of options.signals) await telemetry.#startSignal(signal, post, transformer, resource)
    return telemetry
  }

  /** For AgentLog.listen(): records go out as OTLP logs. */
  readonly onRecord = (record: LogRecord): void => {
    if (record.component !== OWN_COMPONENT) this.#emit?.(record)
  }

  /** What was done with a window, once it is done. */
  window(trace: WindowTrace): void {
    this.#tell?.(trace)
  }

  stats(): TelemetryStats {
    return Object.fromEntries(Object.entries(this.#counts).map(([signal, counts]) => [signal, { ...counts }]))
  }

  /** Sends what there is now. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#providers.map((provider) => provider.forceFlush()))
  }

  /** A last export, for `deadlineMs` at most. Safe to call twice. */
  async close(deadlineMs: number): Promise<void> {
    const providers = this.#providers.splice(0)
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs)
    })
    await Promise.race([Promise.allSettled(providers.map((provider) => provider.shutdown())), deadline])
    clearTimeout(timer)
    this.#closePost()
  }

  async #connect(): Promise<Post> {
    const { destination, version } = this.#options
    const userAgent = `emberscope/${version}`
    if (destination.protocol === 'grpc') {
      const { post, close } = await grpcPost(destination, userAgent)
      this.#closePost = close
      return post
    }
    try {
      for (const signal of this.#options.signals) signalUrl(destination, signal)
    } catch (cause) {
      const message = 'cannot send our own telemetry: the endpoint of the first destination is no URL'
      throw new AgentError('usage', message, { cause })
    }
    return httpPost(destination, userAgent)
  }

  async #startSignal(
    signal: Signal,
    post: Post,
    transformer: Transformer,
    resource: Resource,
  ): Promise<void> {
    const { destination, intervalMs, version, rows } = this.#options
    const log = this.#options.log.of(OWN_COMPONENT)
    const json = destination.protocol === 'http/json'
    const exporterOf = <Items>(serializer: { serializeRequest(items: Items): Uint8Array | undefined }) => {
      const exporter = new PostExporter<Items>({
        signal,
        serialize: (items) => serializer.serializeRequest(items),
        post,
        log,
      })
      this.#counts[signal] = exporter.counts
      return exporter
    }
    const common = { resource, timeoutMs: destination.timeoutMs, version }
    if (signal === 'metrics') {
      const { startMetrics } = await import('./sdk-metrics.ts')
      const { JsonMetricsSerializer, ProtobufMetricsSerializer } = transformer
      const exporter = exporterOf(json ? JsonMetricsSerializer : ProtobufMetricsSerializer)
      this.#providers.push(startMetrics({ ...common, exporter, intervalMs, rows }))
    } else if (signal === 'logs') {
      const { startLogs } = await import('./sdk-logs.ts')
      const { JsonLogsSerializer, ProtobufLogsSerializer } = transformer
      const { provider, emit } = startLogs({
        ...common,
        exporter: exporterOf(json ? JsonLogsSerializer : ProtobufLogsSerializer),
      })
      this.#providers.push(provider)
      this.#emit = emit
    } else {
      const { startTraces } = await import('./sdk-traces.ts')
      const { JsonTraceSerializer, ProtobufTraceSerializer } = transformer
      const { provider, tell } = startTraces({
        ...common,
        exporter: exporterOf(json ? JsonTraceSerializer : ProtobufTraceSerializer),
      })
      this.#providers.push(provider)
      this.#tell = tell
    }
  }
}

async function resourceOf({ resource }: TelemetryOptions): Promise<Resource> {
  const { defaultResource, resourceFromAttributes } = await import('@opentelemetry/resources')
  return defaultResource().merge(resourceFromAttributes(plain(resource)))
}

/** The SDK's attributes have no int64. */
function plain(attributes: Attributes): Record<string, string | number | boolean | string[]> {
  const entries = Object.entries(attributes).map(([key, value]) => {
    if (typeof value === 'bigint') return [key, Number(value)]
    return [key, typeof value === 'object' ? [...value] : value]
  })
  return Object.fromEntries(entries)
}
