import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { limitConnections } from '../../../src/server/connection-limit.ts'

test('who holds connections open keeps nobody out, and what is being answered goes on', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/live') response.write('first')
    else response.end('ok')
  })
  limitConnections(server, 4)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const at = { port, host: '127.0.0.1', agent: false }
  const [live] = (await once(get({ ...at, path: '/live' }), 'response')) as [NodeJS.ReadableStream]
  const held = Array.from({ length: 10 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.all(held.map((socket) => once(socket, 'connect')))
  for (const socket of held.slice(-3)) socket.write('GET /never')
  const [answer] = (await once(get({ ...at, path: '/healthz' }), 'response')) as [{ statusCode: number }]
  assert.equal(answer.statusCode, 200)
  assert.equal(String(await new Promise((resolve) => live.once('data', resolve))), 'first')
  const [count] = [await new Promise((resolve) => server.getConnections((_, n) => resolve(n)))]
  assert.ok((count as number) <= 4, `${count} connections`)
  for (const socket of held) socket.destroy()
})
