import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync, inflateSync } from 'node:zlib'
import { decodeWindow } from '../../../src/formats/packed-window.ts'
import { decodePprof } from '../../../src/pprof/decode.ts'
import { readRecord } from '../../../src/server/agent-record.ts'
import { AgentServer, type AgentServerOptions, parseListen } from '../../../src/server/agent-server.ts'
import { MAX_READERS } from '../../../src/server/live-readers.ts'
import { Recorder } from '../../../src/server/recorder.ts'
import { FAKE_REPORT } from '../../helpers/fake-world.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

const TOKEN = 'a token/of ours'
const AUTHORIZED = { authorization: `Bearer ${TOKEN.replace(' ', '_')}` }
const START_NS = BigInt(Date.UTC(2026, 10, 24, 14, 0, 0)) * 1_000_000n

const window = (n: number) => ({
  ...profileOf([{ frames: ['main', `f${n}`], count: 1 }], FAKE_REPORT),
  timeNs: START_NS + BigInt(n) * 10_000_000_000n,
  durationNs: 10_000_000_000n,
})

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly bytes: Buffer
  readonly text: string
}
interface Asking {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly socketPath?: string
}

function ask(url: string, options: Asking = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const bytes = Buffer.concat(parts)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text: bytes.toString(),
        })
      })
    })
    asking.on('error', reject)
    asking.end()
  })
}

/** An open event stream, and what has come so far. */
function listen(
  url: string,
): Promise<{ asking: ClientRequest; response: IncomingMessage; text: () => string }> {
  return new Promise((resolve, reject) => {
    const asking = request(url, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('error', () => undefined)
      resolve({ asking, response, text: () => text })
    })
    asking.on('error', reject)
    asking.end()
  })
}

const until = async (holds: () => boolean, what: string): Promise<void> => {
  for (let tries = 0; !holds(); tries++) {
    assert.ok(tries < 500, `never: ${what}`)
    await new Promise((done) => setTimeout(done, 10))
  }
}

const folder = mkdtempSync(join(tmpdir(), 'emberscope-agent-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const report = {
  alive: true,
  ready: false,
  checks: [{ name: 'sampler', ok: false, reason: 'no window yet' }],
}
function options(more: Partial<AgentServerOptions> = {}): AgentServerOptions {
  return {
    listen: '127.0.0.1:0',
    token: TOKEN,
    recorder: new Recorder({ minutes: 15, maxBytes: 1 << 20 }),
    metrics: (accept) => ({ contentType: 'text/plain; version=0.0.4', body: `up 1 # ${accept ?? 'any'}\n` }),
    health: () => report,
    runDirectory: '',
    ...more,
  }
}

describe('the agent server', () => {
  const run = join(folder, 'run')
  const server = new AgentServer(options({ runDirectory: run }))
  let url = ''
  let origin = ''
  before(async () => {
    const reachable = await server.start()
    url = reachable.url
    origin = new URL(url).origin
    assert.deepEqual(reachable.warnings, [])
    for (let n = 0; n < 3; n++) server.publish(window(n))
  })
  after(() => server.close())

  test('gives metrics and health to everybody, by any host name', async () => {
    const headers = { host: 'node-7.cluster', accept: 'application/openmetrics-text' }
    const metrics = await ask(`${origin}/metrics`, { headers })
    assert.deepEqual([metrics.status, metrics.text], [200, 'up 1 # application/openmetrics-text\n'])
    assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4')
    assert.equal((await ask(`${origin}/healthz`, { headers })).status, 200)
    const ready = await ask(`${origin}/readyz`)
    assert.deepEqual([ready.status, ready.text], [503, 'failed\nfailed sampler: no window yet\n'])
    assert.equal((await ask(`${origin}/metrics`, { method: 'POST' })).status, 405)
  })

  test('gives nothing else without the token', async () => {
    const paths = [
      '/',
      '/windows',
      '/profile',
      '/live',
      '/window/1',
      '/wrong/windows',
      '//windows',
      '/%zz/windows',
    ]
    for (const path of [
      ...paths,
      `/${encodeURIComponent(TOKEN)}`,
      `/${TOKEN.slice(0, -1)}/`.replace(' ', '%20'),
    ]) {
      const { status, text } = await ask(origin + path)
      assert.equal(status, 404, path)
      assert.match(text, /the page needs its token/)
    }
    const wrong = await ask(`${origin}/windows`, { headers: { authorization: 'Bearer nonsense' } })
    assert.equal(wrong.status, 404)
  })

  test('takes the token from the header too, and no wrong one beside a right path', async () => {
    const own = new AgentServer(options({ token: 'a_token/of_ours' }))
    const { url: ownUrl } = await own.start()
    assert.equal((await ask(`${new URL(ownUrl).origin}/windows`, { headers: AUTHORIZED })).status, 404)
    const right = { authorization: 'bearer a_token/of_ours' }
    assert.equal((await ask(`${new URL(ownUrl).origin}/windows`, { headers: right })).status, 200)
    assert.equal((await ask(`${ownUrl}windows`, { headers: { authorization: 'Bearer x' } })).status, 404)
    await own.close()
  })

  test('refuses names that may be rebound, and takes addresses and localhost with any port', async () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example:9464',
      'a:b:c',
      'a b',
    ])
      assert.equal((await ask(url, { headers: { host } })).status, 403, host)
    for (const host of ['localhost:31000', '127.0.0.1', '[::1]:9464', '10.0.0.7:9464'])
      assert.equal((await ask(url, { headers: { host } })).status, 200, host)
  })

  test('answers GET and HEAD only, and only what there is', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(`${url}windows`, { method })
      assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'])
    }
    assert.equal((await ask(`${url}nothing`)).status, 404)
    for (const place of ['', 'windows', 'profile', 'live']) {
      const head = await ask(url + place, { method: 'HEAD' })
      assert.deepEqual([head.status, head.bytes.length], [200, 0], place)
    }
  })

  test('serves a page that may talk to this server and to nobody else', async () => {
    const { status, text, headers } = await ask(url)
    assert.equal(status, 200)
    assert.match(text, /<div id="app" data-live><\/div>/)
    const policy = headers['content-security-policy'] as string
    assert.match(
      policy,
      /default-src 'none'; script-src 'sha256-[^']+'; .*connect-src 'self'; frame-ancestors 'none'$/,
    )
    assert.ok(text.includes(policy.replace("; frame-ancestors 'none'", '')))
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cache-control'], 'no-store')
  })

  test('lists windows and gives each as it is kept', async () => {
    const { windows } = JSON.parse((await ask(`${url}windows`)).text)
    assert.deepEqual(windows[1], { id: 2, time: '2026-11-24T14:00:10.000Z', durationMs: 10_000, samples: 1 })
    const { bytes } = await ask(`${url}window/2`)
    assert.equal(decodeWindow(inflateSync(bytes)).functions[1]!.name, 'f1')
    for (const id of ['4', '0', '99999999999999']) assert.equal((await ask(`${url}window/${id}`)).status, 404)
  })

  test('gives a range of time in every format', async () => {
    const range = 'from=2026-11-24T14:00:10Z&to=2026-11-24T14:00:30Z'
    const pprof = await ask(`${url}profile?${range}`)
    assert.equal(pprof.headers['content-disposition'], 'attachment; filename="profile.pb.gz"')
    const names = decodePprof(gunzipSync(pprof.bytes)).functions.map((f) => f.name)
    assert.deepEqual(names.filter((name) => name !== 'main').sort(), ['f1', 'f2'])
    const folded = await ask(`${url}profile?${range}&format=folded`)
    assert.equal(folded.text, 'main;f1 1\nmain;f2 1\n')
    assert.equal(JSON.parse((await ask(`${url}profile?format=json`)).text).schema, 'emberscope.profile/1')
    assert.match((await ask(`${url}profile?format=speedscope.json`)).text, /speedscope/)
    const page = await ask(`${url}profile?format=html`)
    assert.match(page.text, /emberscope-profile/)
    assert.doesNotMatch(page.headers['content-security-policy'] as string, /connect-src/)
  })

  test('says what is wrong with a range or a format, and what there is instead', async () => {
    for (const [query, status, says] of [
      ['format=svg', 400, /"format" must be one of html, pb.gz/],
      ['last=abc', 400, /"last" must be/],
      ['from=2&to=1', 400, /must be before/],
      ['format=otlp', 503, /no OTLP here/],
      ['from=1&to=2', 404, /there are samples from 2026-11-24T14:00:00.000Z to 2026-11-24T14:00:30.000Z/],
    ] as const) {
      const answer = await ask(`${url}profile?${query}`)
      assert.equal(answer.status, status, query)
      assert.match(answer.text, says)
    }
    const encodeOtlp = (): Uint8Array => Uint8Array.of(1, 2, 3)
    const own = new AgentServer(options({ encodeOtlp }))
    const { url: ownUrl } = await own.start()
    own.publish(window(0))
    const otlp = await ask(`${ownUrl}profile?format=otlp`)
    assert.deepEqual([[...otlp.bytes], otlp.headers['content-type']], [[1, 2, 3], 'application/x-protobuf'])
    await own.close()
  })

  test('lets a few profiles wait and refuses the rest', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 12 }, async () => (await ask(`${url}profile`)).status),
    )
    assert.ok(statuses.includes(200) && statuses.includes(503), statuses.join())
    assert.equal((await ask(`${url}profile`)).status, 200)
  })

  test('answers on the socket, which only its owner may open', async () => {
    const record = readRecord(run)!
    assert.equal(record.pid, process.pid)
    assert.equal(record.url, url)
    assert.equal(statSync(record.socket).mode & 0o777, 0o600)
    assert.equal(statSync(join(run, 'agent.json')).mode & 0o777, 0o600)
    const inPath = await ask(`http://agent/${encodeURIComponent(TOKEN)}/windows`, {
      socketPath: record.socket,
      headers: { host: 'x' },
    })
    assert.equal(inPath.status, 200)
    assert.equal((await ask('http://agent/windows', { socketPath: record.socket })).status, 404)
  })

  test('refuses a second agent while the first lives, and takes over from a dead one', async () => {
    const second = new AgentServer(options({ runDirectory: run }))
    // The test's own process wrote the record, so it takes a foreign one to be refused by: our parent lives, too.
    const record = readRecord(run)!
    const stat = (await import('../../../src/server/agent-record.ts')).startTicksOf(process.ppid)
    const path = join(run, 'agent.json')
    writeFileSync(path, JSON.stringify({ ...record, pid: process.ppid, startTicks: stat }))
    await assert.rejects(second.start(), {
      code: 'already_running',
      message: new RegExp(`pid ${process.ppid}`),
    })
    writeFileSync(path, JSON.stringify({ ...record, pid: process.ppid, startTicks: stat + 1 }))
    const third = new AgentServer(options({ runDirectory: run }))
    assert.notEqual((await third.start()).socket, '')
    await third.close()
    assert.equal(readRecord(run), null)
  })
})

describe('live readers', () => {
  test('are told of each window', async () => {
    const server = new AgentServer(options())
    const { url } = await server.start()
    const reader = await listen(`${url}live`)
    assert.equal(reader.response.headers['content-type'], 'text/event-stream; charset=utf-8')
    server.publish(window(0))
    server.publish(window(1))
    await until(() => reader.text().includes('id: 2'), 'the second event')
    assert.equal(
      reader.text(),
      'retry: 3000\n\nid: 1\nevent: window\ndata: {"id":1,"time":"2026-11-24T14:00:00.000Z","durationMs":10000,"samples":1}\n\n' +
        'id: 2\nevent: window\ndata: {"id":2,"time":"2026-11-24T14:00:10.000Z","durationMs":10000,"samples":1}\n\n',
    )
    await server.close()
    await until(() => reader.response.destroyed, 'the end of the stream')
  })

  test('are not more than there may be', async () => {
    const server = new AgentServer(options())
    const { url } = await server.start()
    const readers = []
    for (let n = 0; n < MAX_READERS; n++) readers.push(await listen(`${url}live`))
    const { status, headers } = await ask(`${url}live`)
    assert.deepEqual([status, headers['retry-after']], [503, '1'])
    assert.deepEqual([server.stats().readers, server.stats().refused], [MAX_READERS, 1])
    readers[0]!.asking.destroy()
    await until(() => server.stats().readers === MAX_READERS - 1, 'a place that is free again')
    await server.close()
  })
})

test('says who has the port, and what a listen address looks like', async () => {
  const blocker = createServer()
  await new Promise<void>((done) => blocker.listen(0, '127.0.0.1', done))
  const { port } = blocker.address() as { port: number }
  const server = new AgentServer(
    options({ listen: `127.0.0.1:${port}`, runDirectory: join(folder, 'taken') }),
  )
  await assert.rejects(server.start(), { code: 'usage', message: /another program/ })
  assert.equal(readRecord(join(folder, 'taken')), null)
  blocker.close()
  assert.deepEqual(parseListen('[::1]:9464'), { host: '::1', port: 9464 })
  assert.deepEqual(parseListen(':0'), { host: '', port: 0 })
  for (const wrong of ['9464', 'localhost', '::1:9464', 'a:99999', 'http://x:1', ''])
    assert.throws(() => parseListen(wrong), { code: 'usage' }, wrong)
})

test('goes on without a run directory that cannot be made, and says so', async () => {
  const server = new AgentServer(options({ runDirectory: '/proc/emberscope', listen: 'off' }))
  const { url, socket, warnings } = await server.start()
  assert.deepEqual([url, socket], ['', ''])
  assert.match(warnings[0]!, /cannot use \/proc\/emberscope.*profile --last/)
  await Promise.all([server.close(), server.close()])
})
