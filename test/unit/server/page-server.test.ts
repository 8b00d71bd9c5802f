import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { type PageServer, servePage } from '../../../src/server/page-server.ts'

const HTML = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-x'"><p>page</p>`

let server: PageServer
before(async () => {
  server = await servePage(HTML)
})
after(() => server.close())

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        body += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    asking.on('error', reject)
    asking.end()
  })
}

test('serves the page on 127.0.0.1 under a token of 24 bytes', async () => {
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\/$/)
  const { status, body, headers } = await ask(server.url)
  assert.equal(status, 200)
  assert.equal(body, HTML)
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(
    headers['content-security-policy'],
    "default-src 'none'; script-src 'sha256-x'; frame-ancestors 'none'",
  )
})

test('gives nothing without the token', async () => {
  const { origin, pathname } = new URL(server.url)
  for (const path of ['/', '/favicon.ico', `/${'A'.repeat(32)}/`, pathname.slice(0, -1), `${pathname}x`]) {
    const { status, body } = await ask(origin + path)
    assert.equal(status, 404, path)
    assert.ok(!body.includes('page'))
  }
})

test('refuses another host name and other methods', async () => {
  const rebound = await ask(server.url, { headers: { host: 'evil.example' } })
  assert.equal(rebound.status, 403)
  assert.ok(!rebound.body.includes('page'))
  assert.equal((await ask(server.url, { method: 'POST' })).status, 405)
  const head = await ask(server.url, { method: 'HEAD' })
  assert.deepEqual([head.status, head.body], [200, ''])
})

test('closes at once, twice without harm', async () => {
  const other = await servePage(HTML)
  await ask(other.url)
  await Promise.all([other.close(), other.close()])
  await assert.rejects(ask(other.url))
})
