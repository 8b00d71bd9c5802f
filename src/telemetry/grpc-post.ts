/** Sends one OTLP request by gRPC: the body is encoded already, so no message types are needed. Loads grpc-js when called. */
import { readFileSync } from 'node:fs'
import type { Client, ServiceError } from '@grpc/grpc-js'
import type { Post, Signal, TelemetryDestination } from './options.ts'

const METHODS: Readonly<Record<Signal, string>> = {
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
}

type Grpc = typeof import('@grpc/grpc-js')

export async function grpcPost(
  destination: TelemetryDestination,
  userAgent: string,
): Promise<{ post: Post; close: () => void }> {
  const grpc = await import('@grpc/grpc-js')
  const client = connect(grpc, destination, userAgent)
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(destination.headers)) metadata.set(name.toLowerCase(), value)
  const post: Post = (signal, body) =>
    new Promise((resolve, reject) => {
      const done = (error: ServiceError | null) =>
        error === null
          ? resolve()
          : reject(new Error(`the receiver answered gRPC ${error.code}: ${error.details}`))
      const options = { deadline: Date.now() + destination.timeoutMs }
      client.makeUnaryRequest(METHODS[signal], Buffer.from, asIs, body, metadata, options, done)
    })
  return { post, close: () => client.close() }
}

const asIs = (bytes: Buffer) => bytes

function connect(
  grpc: Grpc,
  { endpoint, insecure, tls, compression }: TelemetryDestination,
  userAgent: string,
): Client {
  const address = endpoint.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  const plain = endpoint.startsWith('http://') || (insecure && !endpoint.startsWith('https://'))
  const file = (path: string | null) => (path === null ? null : readFileSync(path))
  const credentials = plain
    ? grpc.credentials.createInsecure()
    : grpc.credentials.createSsl(file(tls.caFile), file(tls.keyFile), file(tls.certFile), {
        rejectUnauthorized: !tls.insecureSkipVerify,
      })
  return new grpc.Client(address, credentials, {
    'grpc.primary_user_agent': userAgent,
    'grpc.default_compression_algorithm': compression === 'gzip' ? 2 : 0,
    ...(tls.serverName === null ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
  })
}
