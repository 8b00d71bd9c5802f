import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createPlainServer, type Server as NetServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { HttpSender } from '../../../src/export/http-sender.ts'
import type { DestinationOptions } from '../../../src/export/options.ts'
import type { Outcome } from '../../../src/export/sender.ts'
import { encodeResponse, encodeStatus } from '../../../src/otlp/response.ts'
import {
  type Answerer,
  accept,
  destinationOptions,
  numbered,
  receiver,
  scratch,
} from '../../helpers/exporting.ts'

const BODY = numbered(1, 5000).bytes
const never = new AbortController().signal

async function sendTo(
  endpoint: string,
  changes: Partial<DestinationOptions> = {},
  environment = {},
): Promise<Outcome> {
  const sender = new HttpSender(destinationOptions({ endpoint, ...changes }), '1.2.3', environment)
  try {
    return await sender.send(await sender.prepare(BODY), never)
  } finally {
    sender.close()
  }
}

/** The outcome of one attempt at a receiver that answers so. */
async function outcomeOf(answer: Answerer, changes: Partial<DestinationOptions> = {}): Promise<Outcome> {
  const to = await receiver(answer)
  try {
    return await sendTo(to.url, changes)
  } finally {
    await to.close()
  }
}

/** A server that answers each connection with raw bytes. */
async function rawServer(answer: (socket: Socket) => void): Promise<{ url: string; server: NetServer }> {
  const server = createPlainServer((socket) => {
    socket.on('error', () => {})
    answer(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

const SENT = { kind: 'sent', rejected: 0, message: '', isUnreadable: false }

test('P-20..P-22: posts gzipped protobuf to the joined path, with the version header and a User-Agent', async () => {
  const to = await receiver()
  assert.deepEqual(await sendTo(`${to.url}/prefix/`, { headers: { Authorization: 'Bearer 12345678' } }), SENT)
  await to.close()
  const { headers, url, body } = to.requests[0]!
  assert.equal(url, '/prefix/v1development/profiles')
  assert.deepEqual(body, BODY)
  assert.equal(headers['content-type'], 'application/x-protobuf')
  assert.equal(headers['content-encoding'], 'gzip')
  assert.equal(headers['otlp-profiles-development-version'], '1')
  assert.match(headers['user-agent'] ?? '', /^Emberscope\/1\.2\.3 OTel-OTLP-Exporter-JavaScript\/1\.2\.3$/)
  assert.equal(headers.authorization, 'Bearer 12345678')
  assert.equal(headers.host, `127.0.0.1:${to.port}`)
})

test('a per-signal endpoint is used as it is; without a path it is /', async () => {
  const to = await receiver()
  for (const path of ['', '/', '/api/x/v1/profiles?tenant=7']) {
    await sendTo(to.url + path, { endpointIsWhole: true, compression: 'none' })
  }
  await to.close()
  assert.deepEqual(
    to.requests.map(({ url }) => url),
    ['/', '/', '/api/x/v1/profiles?tenant=7'],
  )
  assert.equal(to.requests[0]!.headers['content-encoding'], undefined)
})

test('P-27: exactly 429, 502, 503 and 504 are retried; every other status from 300 on drops', async () => {
  let status = 0
  const to = await receiver((response) => void response.writeHead(status).end())
  const sender = new HttpSender(destinationOptions({ endpoint: to.url, compression: 'none' }), '1', {})
  const retried: number[] = []
  for (status = 300; status < 600; status++) {
    const outcome = await sender.send(BODY, never)
    if (outcome.kind === 'failed') retried.push(status)
    else
      assert.deepEqual([outcome.kind, 'reason' in outcome && outcome.reason], ['refused', `http_${status}`])
  }
  assert.deepEqual(retried, [429, 502, 503, 504])
  sender.close()
  await to.close()
})

test("P-29: Retry-After as seconds, as a date against the receiver's own clock, and garbage", async () => {
  const delayOf = async (headers: Record<string, string>) => {
    const outcome = await outcomeOf((response) => void response.writeHead(503, headers).end())
    return outcome.kind === 'failed' ? outcome.delayMs : 'not failed'
  }
  const date = 'Tue, 01 Jan 2030 10:00:00 GMT'
  assert.equal(await delayOf({ 'retry-after': '2' }), 2000)
  assert.equal(await delayOf({ date, 'retry-after': 'Tue, 01 Jan 2030 10:00:07 GMT' }), 7000)
  assert.equal(await delayOf({ date, 'retry-after': 'Tue, 01 Jan 2030 09:00:00 GMT' }), 0)
  assert.equal(await delayOf({ 'retry-after': '99999999999999' }), 86_400_000)
  for (const garbage of ['soon', '-5', '1.5', '2 apples', '2030-01-01']) {
    assert.equal(await delayOf({ 'retry-after': garbage }), null, garbage)
  }
})

test('P-26: the Status in an answer is told, and RetryInfo in it honoured', async () => {
  const status = encodeStatus({ code: 14, message: 'too busy', retryDelayMs: 3500 })
  const headers = { 'content-type': 'application/x-protobuf' }
  assert.deepEqual(await outcomeOf((response) => void response.writeHead(503, headers).end(status)), {
    kind: 'failed',
    reason: 'http_503',
    message: 'HTTP 503 Service Unavailable: too busy',
    delayMs: 3500,
  })
})

test('P-25: a partial success is sent, with what was rejected; in JSON too', async () => {
  const partial = encodeResponse({ rejected: 3, message: 'bad stacks' })
  const protobuf = { 'content-type': 'application/x-protobuf; charset=utf-8' }
  const expected = { ...SENT, rejected: 3, message: 'bad stacks' }
  assert.deepEqual(
    await outcomeOf((response) => void response.writeHead(200, protobuf).end(partial)),
    expected,
  )
  const json = '{"partialSuccess":{"rejectedProfiles":"3","errorMessage":"bad stacks"}}'
  const type = { 'content-type': 'application/json' }
  assert.deepEqual(await outcomeOf((response) => void response.writeHead(200, type).end(json)), expected)
})

test('a success with garbage in it stays one (sending again would store it twice) and is told', async () => {
  for (const [type, body] of [
    ['text/html', '<h1>Welcome to the hotel</h1>'],
    ['application/x-protobuf', '\xff\xff\xff\xff'],
    ['application/json', '{"partial'],
  ] as const) {
    const outcome = await outcomeOf(
      (response) => void response.writeHead(200, { 'content-type': type }).end(body),
    )
    assert.equal(outcome.kind, 'sent')
    assert.equal(outcome.kind === 'sent' && outcome.isUnreadable, true)
    assert.match(outcome.message, /^HTTP 200 with a body that is no OTLP answer/)
  }
})

test('P-24: an answer over 4 MiB is read no further and never retried; one of 4 MiB is read', async () => {
  const type = { 'content-type': 'text/plain' }
  const over = await outcomeOf(
    (response) => void response.writeHead(200, type).end(Buffer.alloc(4 * 1024 * 1024 + 1)),
  )
  assert.deepEqual([over.kind, 'reason' in over && over.reason], ['refused', 'response_too_large'])
  const fits = await outcomeOf(
    (response) => void response.writeHead(200, type).end(Buffer.alloc(4 * 1024 * 1024)),
  )
  assert.equal(fits.kind, 'sent')
})

test('no answer, a slow one, garbage, a reset and an answer cut off are failures to retry', async () => {
  const silent = await outcomeOf(() => {}, { timeoutMs: 60 })
  assert.deepEqual(silent, {
    kind: 'failed',
    reason: 'timeout',
    message: 'no answer within 60 ms',
    delayMs: null,
  })
  const slow = await outcomeOf(
    (response) => {
      response.writeHead(200, { 'content-length': '1000' })
      const timer = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(timer))
    },
    { timeoutMs: 80 },
  )
  assert.equal('reason' in slow && slow.reason, 'timeout')
  const cut = await outcomeOf((response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('some', () => response.destroy())
  })
  assert.deepEqual([cut.kind, 'reason' in cut && cut.reason], ['failed', 'connection'])
  for (const [expected, answer] of [
    ['garbage', (socket: Socket) => void socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['connection', (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy())],
    ['connection', (socket: Socket) => void socket.once('data', () => socket.end('HTTP/1.1 200 O'))],
  ] as const) {
    const { url } = await rawServer(answer)
    const outcome = await sendTo(url)
    assert.deepEqual([outcome.kind, 'reason' in outcome && outcome.reason], ['failed', expected])
  }
})

test('nobody listening and a name that does not resolve are failures to retry, told apart', async () => {
  const gone = await receiver()
  await gone.close()
  const refused = await sendTo(gone.url)
  assert.deepEqual([refused.kind, 'reason' in refused && refused.reason], ['failed', 'connection'])
  assert.match(refused.message, /ECONNREFUSED/)
  const unknown = await sendTo('http://no-such-host.invalid:4318')
  assert.deepEqual([unknown.kind, 'reason' in unknown && unknown.reason], ['failed', 'dns'])
})

test('a refusal decides by its status even when the receiver closes before the request is read', async () => {
  const { url } = await rawServer((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nno'))
  })
  const outcome = await sendTo(url, { compression: 'none' })
  assert.deepEqual([outcome.kind, 'reason' in outcome && outcome.reason], ['refused', 'http_413'])
})

test('connections are kept, and one the receiver closed meanwhile costs no attempt', async () => {
  let connections = 0
  const to = await receiver()
  to.server.on('connection', () => connections++)
  const sender = new HttpSender(destinationOptions({ endpoint: to.url, compression: 'none' }), '1', {})
  for (let n = 0; n < 5; n++) assert.equal((await sender.send(BODY, never)).kind, 'sent')
  assert.equal(connections, 1)
  to.server.removeAllListeners('request')
  let requests = 0
  to.server.on('request', (request, response) => {
    if (++requests === 1) request.socket.destroy()
    else accept(response, request, Buffer.alloc(0))
  })
  assert.equal((await sender.send(BODY, never)).kind, 'sent')
  assert.equal(requests, 2)
  sender.close()
  await to.close()
})

test('IPv6 and a unix socket', async (t) => {
  const six = await receiver(accept, '::1')
  assert.deepEqual(await sendTo(six.url), SENT)
  assert.equal(six.requests[0]!.headers.host, `[::1]:${six.port}`)
  await six.close()
  const path = join(scratch(t), 'otlp.sock')
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end(request.url === '/v1development/profiles' ? '' : 'wrong'))
  }).listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  assert.deepEqual(await sendTo(`unix://${path}`), SENT)
  server.close()
})

test('a proxy of the environment gets the whole URL, its credentials, and nothing for NO_PROXY', async () => {
  const proxy = await receiver()
  const address = `127.0.0.1:${proxy.port}`
  const environment = { HTTP_PROXY: `http://user:p%40ss@${address}`, NO_PROXY: '.internal,10.0.0.0/8' }
  const through = { proxy: null }
  assert.deepEqual(await sendTo('http://collector.example:4318/x', through, environment), SENT)
  assert.equal(proxy.requests[0]!.url, 'http://collector.example:4318/x/v1development/profiles')
  assert.equal(proxy.requests[0]!.headers.host, 'collector.example:4318')
  assert.equal(proxy.requests[0]!.headers['proxy-authorization'], `Basic ${btoa('user:p@ss')}`)
  const direct = await receiver()
  await sendTo(direct.url, through, environment)
  assert.deepEqual(
    [direct.requests.length, proxy.requests.length],
    [1, 1],
    'loopback is never proxied by the environment',
  )
  await sendTo(direct.url, { proxy: `http://${address}` })
  assert.deepEqual([direct.requests.length, proxy.requests.length], [1, 2], 'but by configuration')
  const exempt = await sendTo('http://a.no-such-host.internal:1', through, environment)
  assert.equal('reason' in exempt && exempt.reason, 'dns')
  await Promise.all([proxy.close(), direct.close()])
})

test('secrets: header values, user info and what a receiver repeats of them are in no message', async () => {
  const secret = 'Bearer s3cr3t-t0ken'
  const echo = await outcomeOf(
    (response) =>
      void response.writeHead(401, { 'content-type': 'text/plain' }).end('bad token s3cr3t-t0ken\n\x1b[31m'),
    { headers: { authorization: secret } },
  )
  assert.equal(
    echo.message,
    'HTTP 401 Unauthorized: bad token [hidden] [31m; see the headers of this destination',
  )
  const sender = new HttpSender(
    destinationOptions({
      endpoint: 'http://alice:hunter22@127.0.0.1:1/x?key=abc',
      headers: { 'x-key': 'wrong\nvalue' },
    }),
    '1',
    {},
  )
  assert.equal(sender.endpoint, 'http://127.0.0.1:1/x/v1development/profiles')
  const outcome = await sender.send(BODY, never)
  assert.equal(outcome.kind, 'failed')
  assert.doesNotMatch(outcome.message, /hunter22|wrong|value"/)
  assert.throws(
    () => new HttpSender(destinationOptions({ name: 'x', endpoint: 'ftp://bob:hunter22@host' }), '1', {}),
    (error: Error) => /destination "x"/.test(error.message) && !/hunter22/.test(error.message),
  )
})

test('an attempt ends when it is aborted', async () => {
  const to = await receiver(() => {})
  const sender = new HttpSender(destinationOptions({ endpoint: to.url, compression: 'none' }), '1', {})
  const abort = new AbortController()
  const sending = sender.send(BODY, abort.signal)
  abort.abort()
  assert.equal((await sending).kind, 'failed')
  sender.close()
  await to.close()
})

test('HTTPS goes through CONNECT of a proxy; what the proxy refuses is told', async () => {
  let asked = ''
  const { url } = await rawServer((socket) => {
    socket.once('data', (head) => {
      asked = head.toString().split('\r\n')[0]!
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    })
  })
  const outcome = await sendTo('https://collector.example', { proxy: url })
  assert.equal(asked, 'CONNECT collector.example:443 HTTP/1.1')
  assert.deepEqual(outcome, {
    kind: 'failed',
    reason: 'proxy',
    message: 'the proxy answers CONNECT with 407',
    delayMs: null,
  })
})

test('a refusal says what to do: where it redirects to, which key to set, what the receiver lacks', async () => {
  for (const [status, advice] of [
    [
      308,
      /Permanent Redirect; redirects are not followed: set the endpoint to where it points, https:\/\/b\/$/,
    ],
    [404, /--feature-gates=service\.profilesSupport/],
    [413, /set maxRequestBytes below what the receiver takes$/],
    [401, /see the headers of this destination$/],
  ] as const) {
    const outcome = await outcomeOf(
      (response) => void response.writeHead(status, { location: 'https://b/' }).end(),
    )
    assert.equal(outcome.kind, 'refused')
    assert.match(outcome.message, advice)
  }
})
