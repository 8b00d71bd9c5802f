import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { LiveReaders } from '../../../src/server/live-readers.ts'

test('readers that do not read are dropped, and the others go on', async () => {
  const readers = new LiveReaders()
  const server = createServer((_request, response) => void readers.add(response))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  let events = 0
  const asking = request({ port, path: '/' }, (response) => {
    response.setEncoding('utf8')
    response.on('data', (part: string) => {
      events += part.split('event: ').length - 1
    })
    response.on('error', () => undefined)
  })
  asking.on('error', () => undefined)
  asking.end()
  // A socket that is never read: the kernel's buffers fill, then ours would.
  const stuck = connect(port, '127.0.0.1')
  stuck.on('error', () => undefined)
  stuck.pause()
  stuck.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  while (readers.stats().readers < 2) await new Promise(setImmediate)
  const data = 'x'.repeat(4000)
  let sent = 0
  for (; sent < 20_000 && readers.stats().slow === 0; sent++) {
    readers.send('window', sent, data)
    // The other one gets the time to read each.
    while (events < sent) await new Promise(setImmediate)
  }
  assert.deepEqual(readers.stats(), { readers: 1, refused: 0, slow: 1 })
  readers.send('window', sent, 'last')
  while (events <= sent) await new Promise(setImmediate)
  stuck.destroy()
  readers.close()
  server.closeAllConnections()
  server.close()
})
