import assert from 'node:assert/strict'
import { type AddressInfo, createServer as createPlainServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { GrpcSender } from '../../../src/export/grpc-sender.ts'
import type { DestinationOptions } from '../../../src/export/options.ts'
import type { Outcome } from '../../../src/export/sender.ts'
import { encodeResponse, encodeStatus } from '../../../src/otlp/response.ts'
import { destinationOptions, numbered, scratch } from '../../helpers/exporting.ts'

const BODY = numbered(1, 5000).bytes
const never = new AbortController().signal
type Call = grpc.ServerUnaryCall<Buffer, Buffer>
type Answer = (call: Call, done: grpc.sendUnaryData<Buffer>) => void

const METHOD = '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export'
const asIs = (bytes: Buffer) => bytes
const definition = {
  Export: {
    path: METHOD,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
}

let answer: Answer
let port = 0
const server = new grpc.Server({
  'grpc.max_receive_message_length': 64 << 20,
  'grpc.max_send_message_length': -1,
})
function bind(address: string): Promise<number> {
  const credentials = grpc.ServerCredentials.createInsecure()
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound)))
  })
}
before(async () => {
  server.addService(definition, {
    Export: (call: Call, done: grpc.sendUnaryData<Buffer>) => answer(call, done),
  })
  port = await bind('127.0.0.1:0')
})
after(() => server.forceShutdown())

async function send(changes: Partial<DestinationOptions> = {}, body: Uint8Array = BODY): Promise<Outcome> {
  const options = { protocol: 'grpc', endpoint: `http://127.0.0.1:${port}`, ...changes } as const
  const sender = new GrpcSender(destinationOptions(options), '1.2.3', {})
  try {
    return await sender.send(await sender.prepare(body), never)
  } finally {
    sender.close()
  }
}

const accept: Answer = (_call, done) => done(null, Buffer.alloc(0))
const SENT = { kind: 'sent', rejected: 0, message: '', isUnreadable: false }

test('P-20: one unary call with the bytes as they are, gzip, version header and metadata', async () => {
  let metadata = new grpc.Metadata()
  let body: Buffer = Buffer.alloc(0)
  answer = (call, done) => {
    metadata = call.metadata
    body = call.request
    done(null, Buffer.alloc(0))
  }
  assert.deepEqual(await send({ headers: { 'X-Scope': 'team', 'trace-bin': 'AQID' } }), SENT)
  assert.deepEqual(body, Buffer.from(BODY))
  assert.deepEqual(metadata.get('otlp-profiles-development-version'), ['1'])
  assert.deepEqual(metadata.get('x-scope'), ['team'])
  assert.deepEqual(metadata.get('trace-bin'), [Buffer.from([1, 2, 3])])
  assert.match(
    String(metadata.get('user-agent')[0]),
    /^Emberscope\/1\.2\.3 OTel-OTLP-Exporter-JavaScript\/1\.2\.3 grpc-node/,
  )
})

test('P-28: the codes, one by one, with and without RetryInfo', async () => {
  const RETRIED = ['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'UNAVAILABLE', 'DATA_LOSS']
  for (let code = 1; code <= 16; code++) {
    const name = grpc.status[code]!
    for (const retryDelayMs of [null, 2500]) {
      const metadata = new grpc.Metadata()
      if (retryDelayMs !== null) {
        metadata.set(
          'grpc-status-details-bin',
          Buffer.from(encodeStatus({ code, message: '', retryDelayMs })),
        )
      }
      answer = (_call, done) => done({ code, details: 'so it is', metadata })
      const outcome = await send()
      const isRetried = RETRIED.includes(name) || (name === 'RESOURCE_EXHAUSTED' && retryDelayMs !== null)
      const { message, ...rest } = outcome
      assert.ok(message.startsWith(`${name}: so it is`), message)
      const base = { reason: `grpc_${name}` }
      assert.deepEqual(
        rest,
        isRetried ? { kind: 'failed', ...base, delayMs: retryDelayMs } : { kind: 'refused', ...base },
      )
    }
  }
})

test('status details of garbage are as none', async () => {
  const metadata = new grpc.Metadata()
  metadata.set('grpc-status-details-bin', Buffer.from([0xff, 0xff, 0xff]))
  answer = (_call, done) => done({ code: grpc.status.RESOURCE_EXHAUSTED, details: 'x', metadata })
  assert.equal((await send()).kind, 'refused')
})

test('P-25: a partial success is sent; an answer of garbage too, and told', async () => {
  answer = (_call, done) => done(null, Buffer.from(encodeResponse({ rejected: 2, message: 'no' })))
  assert.deepEqual(await send(), { ...SENT, rejected: 2, message: 'no' })
  answer = (_call, done) => done(null, Buffer.from([0xff, 0xff, 0xff]))
  const garbage = await send()
  assert.equal(garbage.kind === 'sent' && garbage.isUnreadable, true)
})

test('P-24: an answer over 4 MiB is refused and never retried', async () => {
  answer = (_call, done) => done(null, Buffer.alloc(4 * 1024 * 1024 + 1))
  const outcome = await send()
  assert.deepEqual([outcome.kind, 'reason' in outcome && outcome.reason], ['refused', 'response_too_large'])
})

test('a request too large for the receiver is refused under that name, with the key to set', async () => {
  const details = 'grpc: received message larger than max (5000000 vs. 4194304)'
  answer = (_call, done) => done({ code: grpc.status.RESOURCE_EXHAUSTED, details })
  const outcome = await send()
  assert.equal('reason' in outcome && outcome.reason, 'grpc_RESOURCE_EXHAUSTED')
  assert.match(outcome.message, /4194304\); set maxRequestBytes below what the receiver takes$/)
})

test("requests above the library's own limit of 4 MB leave", async () => {
  let size = 0
  answer = (call, done) => {
    size = call.request.length
    done(null, Buffer.alloc(0))
  }
  assert.equal((await send({}, Buffer.alloc(6 << 20))).kind, 'sent')
  assert.equal(size, 6 << 20)
})

test('no answer, no server, no such name, garbage and a reset are failures to retry', async () => {
  answer = () => {}
  const late = await send({ timeoutMs: 80 })
  assert.deepEqual([late.kind, 'reason' in late && late.reason], ['failed', 'grpc_DEADLINE_EXCEEDED'])
  const unknown = await send({ endpoint: 'no-such-host.invalid:4317', insecure: true })
  assert.deepEqual([unknown.kind, 'reason' in unknown && unknown.reason], ['failed', 'grpc_UNAVAILABLE'])
  const answers: ((socket: Socket) => void)[] = [
    (socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
    (socket) => void socket.once('data', () => socket.resetAndDestroy()),
    (socket) => void socket.destroy(),
  ]
  for (const act of answers) {
    const raw = createPlainServer((socket) => act(socket.on('error', () => {})))
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(raw.address() as AddressInfo).port}`
    const outcome = await send({ endpoint, timeoutMs: 2000 })
    raw.close()
    assert.equal(outcome.kind, 'failed', JSON.stringify(outcome))
    const refused = await send({ endpoint })
    assert.deepEqual([refused.kind, 'reason' in refused && refused.reason], ['failed', 'grpc_UNAVAILABLE'])
  }
})

test('a connection reset within the call is a failure to retry', async () => {
  answer = (call) => {
    const session = (call as unknown as { call?: { stream?: { session?: { destroy(): void } } } }).call
      ?.stream?.session
    if (session) session.destroy()
    else accept(call, () => {})
  }
  const outcome = await send({ timeoutMs: 1000 })
  assert.equal(outcome.kind, 'failed', JSON.stringify(outcome))
})

test('host:port with and without TLS, dns:, IPv6 and a unix socket', async (t) => {
  answer = accept
  const six = await bind('[::1]:0')
  const path = join(scratch(t), 'grpc.sock')
  await bind(`unix:${path}`)
  for (const endpoint of [
    `127.0.0.1:${port}`,
    `dns:///localhost:${port}`,
    `[::1]:${six}`,
    `unix://${path}`,
  ]) {
    assert.deepEqual(await send({ endpoint, insecure: true }), SENT, endpoint)
  }
  assert.deepEqual(await send({ endpoint: `http://[::1]:${six}` }), SENT)
  const tls = await send({ endpoint: `127.0.0.1:${port}`, timeoutMs: 2000 })
  assert.equal(tls.kind, 'failed', 'without a scheme it is TLS unless told otherwise')
})

test('a header gRPC cannot carry is named without its value', async () => {
  const outcome = await send({ headers: { 'x-key': 'ein\nzeiler-geheim' } })
  assert.equal(outcome.kind, 'failed')
  assert.match(outcome.message, /the header "x-key" cannot be sent over gRPC/)
  assert.doesNotMatch(outcome.message, /geheim/)
})

test('a proxy is asked to CONNECT to the receiver', async () => {
  answer = accept
  let head = ''
  const proxy = createPlainServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', (bytes) => {
        head = bytes.toString()
        const onward = new URL(`http://${head.split(' ')[1]}`)
        import('node:net').then(({ connect }) => {
          const to = connect(Number(onward.port), onward.hostname).on('error', () => {})
          to.once('connect', () => {
            socket.write('HTTP/1.1 200 OK\r\n\r\n')
            socket.pipe(to).pipe(socket)
          })
        })
      })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port: at } = proxy.address() as AddressInfo
  assert.deepEqual(await send({ proxy: `http://u:p@127.0.0.1:${at}` }), SENT)
  proxy.close()
  assert.match(head, new RegExp(`^CONNECT 127.0.0.1:${port} HTTP/1.1`))
  assert.match(head, new RegExp(`Proxy-Authorization: Basic ${btoa('u:p')}`, 'i'))
})
