/** Receives profiles over HTTP and gRPC and keeps them as they came; and sends them, byte for byte. */
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  credentials,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js'

export interface Received {
  readonly protocol: 'grpc' | 'http'
  /** Uncompressed. */
  readonly bytes: Uint8Array
  /** What `otlp-profiles-development-version` said, '' without it. */
  readonly version: string
  /** Content-Encoding; '' over gRPC, where it is below us. */
  readonly encoding: string
}

export interface Receiver {
  readonly httpPort: number
  readonly grpcPort: number
  /** In the order of arrival. */
  readonly received: Received[]
  of(protocol: Received['protocol']): Received[]
  close(): Promise<void>
}

const VERSION_HEADER = 'otlp-profiles-development-version'
const MAX_MESSAGE = 64 * 1024 * 1024
const identity = (bytes: Buffer) => bytes
const SERVICE: ServiceDefinition = {
  export: {
    path: '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
}

/** Starts both servers on ports of their own; every request is a full success. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = []
  const http = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const isRight = message.method === 'POST' && message.url === '/v1development/profiles'
      const encoding = message.headers['content-encoding'] ?? ''
      const body = Buffer.concat(chunks)
      const bytes = encoding === 'gzip' ? gunzipSync(body) : body
      const version = String(message.headers[VERSION_HEADER] ?? '')
      if (isRight) received.push({ protocol: 'http', bytes, version, encoding })
      response.writeHead(isRight ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const grpc = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE })
  grpc.addService(SERVICE, {
    export: (call: { request: Buffer; metadata: Metadata }, done: (error: null, answer: Buffer) => void) => {
      const version = String(call.metadata.get(VERSION_HEADER)[0] ?? '')
      received.push({ protocol: 'grpc', bytes: call.request, version, encoding: '' })
      done(null, Buffer.alloc(0))
    },
  })
  const grpcPort = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, port: number) => (error ? reject(error) : resolve(port))
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound)
  })
  return {
    httpPort: (http.address() as AddressInfo).port,
    grpcPort,
    received,
    of: (protocol) => received.filter((one) => one.protocol === protocol),
    close: async () => {
      grpc.forceShutdown()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** Posts a request, gzipped; resolves with the status and the body. `headers` may replace ours. */
export function postProfiles(
  port: number,
  bytes: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/v1development/profiles',
        headers: {
          'content-type': 'application/x-protobuf',
          'content-encoding': 'gzip',
          [VERSION_HEADER]: '1',
          ...headers,
        },
      },
      (response) => {
        let body = ''
        response.setEncoding('latin1').on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      },
    )
    sent.on('error', reject)
    sent.end(gzipSync(bytes))
  })
}

/** Calls Export; rejects with grpc-js' error. */
export async function callProfiles(port: number, bytes: Uint8Array, version = '1'): Promise<void> {
  const Client = makeGenericClientConstructor(SERVICE, 'Profiles')
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': 2, // gzip
  })
  const metadata = new Metadata()
  metadata.set(VERSION_HEADER, version)
  type Export = (request: Buffer, metadata: Metadata, done: (error: Error | null) => void) => void
  const call = (client as unknown as { export: Export }).export.bind(client)
  try {
    await new Promise<void>((resolve, reject) =>
      call(Buffer.from(bytes), metadata, (error) => (error ? reject(error) : resolve())),
    )
  } finally {
    client.close()
  }
}
