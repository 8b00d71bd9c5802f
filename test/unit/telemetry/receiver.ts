/** A receiver of OTLP on the loopback, over HTTP, TLS or gRPC, that keeps what it is sent. */
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { Server as GrpcServer, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface Receiver {
  readonly url: string
  readonly received: Received[]
  close(): Promise<void>
}

/** `answer`: the status of every answer, or a function that answers itself. */
export async function receiveHttp(
  answer: number | RequestListener = 200,
  tls?: ServerOptions,
): Promise<Receiver> {
  const received: Received[] = []
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const raw = Buffer.concat(chunks)
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      received.push({ path: request.url!, headers: request.headers, body })
      if (typeof answer === 'function') answer(request, response)
      else response.writeHead(answer).end()
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  const port = await listen(server)
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `${tls === undefined ? 'http' : 'https'}://localhost:${port}`, received, close }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, () => resolve((server.address() as AddressInfo).port)))
}

const asIs = (bytes: Buffer) => bytes

export async function receiveGrpc(): Promise<Receiver> {
  const received: Received[] = []
  const server = new GrpcServer()
  for (const signal of ['metrics', 'logs', 'trace']) {
    const service = `${signal[0]!.toUpperCase()}${signal.slice(1)}Service`
    const path = `/opentelemetry.proto.collector.${signal}.v1.${service}/Export`
    const method = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    }
    server.addService(
      { Export: method },
      {
        Export: (call: ServerUnaryCall<Buffer, Buffer>, done: (error: null, answer: Buffer) => void) => {
          received.push({ path, headers: call.metadata.getMap() as IncomingHttpHeaders, body: call.request })
          done(null, Buffer.alloc(0))
        },
      },
    )
  }
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('localhost:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return { url: `http://localhost:${port}`, received, close: async () => server.forceShutdown() }
}
