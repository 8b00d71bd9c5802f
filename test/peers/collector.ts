/** A running Collector: what comes in by gRPC goes out by gRPC, what comes in by HTTP goes out by HTTP and to a file. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { COLLECTOR } from './collector-build.ts'

export interface Collector {
  readonly grpcPort: number
  readonly httpPort: number
  /** The JSON file: one request a line. */
  readonly file: string
  /** Everything it has logged. */
  log(): string
  stop(): Promise<void>
}

/** Ports nobody listens on now: the Collector takes numbers only. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    const end = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

function configuration(grpc: number, http: number, to: Ports, file: string): string {
  return `
receivers:
  otlp/grpc: { protocols: { grpc: { endpoint: 127.0.0.1:${grpc}, max_recv_msg_size_mib: 64 } } }
  otlp/http: { protocols: { http: { endpoint: 127.0.0.1:${http} } } }
exporters:
  otlp_grpc: { endpoint: 127.0.0.1:${to.grpc}, tls: { insecure: true }, sending_queue: { enabled: false } }
  otlp_http: { endpoint: "http://127.0.0.1:${to.http}", sending_queue: { enabled: false } }
  file: { path: ${file}, flush_interval: 100ms }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    profiles/grpc: { receivers: [otlp/grpc], exporters: [otlp_grpc] }
    profiles/http: { receivers: [otlp/http], exporters: [otlp_http, file] }
`
}

export interface Ports {
  readonly grpc: number
  readonly http: number
}

/** Two ports for a Collector that is to be started later. */
export async function reservePorts(): Promise<Ports> {
  const [grpc = 0, http = 0] = await freePorts(2)
  return { grpc, http }
}

/** Starts one that exports to these ports of 127.0.0.1; resolves once it listens, on ports of its own unless given. */
export async function startCollector(directory: string, to: Ports, on?: Ports): Promise<Collector> {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'out.jsonl')
  const config = join(directory, 'collector.yaml')
  const { grpc: grpcPort, http: httpPort } = on ?? (await reservePorts())
  writeFileSync(config, configuration(grpcPort, httpPort, to, file))
  const child = spawn(COLLECTOR, ['--config', config, '--feature-gates=service.profilesSupport'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
  child.unref() // a test that fails does not stop it
  for (const stream of [child.stdout, child.stderr]) (stream as unknown as Socket).unref()
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const deadline = performance.now() + 30_000
  while (!((await answers(grpcPort)) && (await answers(httpPort)))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`the Collector does not listen:\n${log}`)
    await sleep(100)
  }
  return {
    grpcPort,
    httpPort,
    file,
    log: () => log,
    stop: async () => {
      child.ref()
      child.kill('SIGTERM')
      await ended
      process.off('exit', kill)
    },
  }
}

/** The requests in a file of the Collector's, as JSON texts. */
export function jsonLines(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean)
}
