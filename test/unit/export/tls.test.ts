import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import {
  createServer as createPlainHttp2Server,
  createSecureServer,
  type Http2SecureServer,
} from 'node:http2'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { GrpcSender } from '../../../src/export/grpc-sender.ts'
import { HttpSender } from '../../../src/export/http-sender.ts'
import { type DestinationOptions, TLS_DEFAULTS } from '../../../src/export/options.ts'
import type { Outcome, Sender } from '../../../src/export/sender.ts'
import { authority, type Leaf } from '../../helpers/certificates.ts'
import { destinationOptions, numbered, scratch } from '../../helpers/exporting.ts'

const BODY = numbered(1, 500).bytes
const never = new AbortController().signal

/** A receiver over TLS that wants a certificate of the authority; `seen` are the names on those it was shown. */
async function secureReceiver(kind: 'http' | 'grpc', own: Leaf, ca: string) {
  const seen: string[] = []
  const settings = {
    cert: readFileSync(own.cert),
    key: readFileSync(own.key),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  }
  const note = (socket: TLSSocket) => void seen.push(String(socket.getPeerCertificate().subject?.CN))
  let server: Server | Http2SecureServer
  if (kind === 'http') {
    server = createServer(settings, (request, response) => request.resume().on('end', () => response.end()))
  } else {
    server = createSecureServer(settings)
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.resume().on('end', () => stream.end(Buffer.alloc(5)))
    })
  }
  server.on('secureConnection', note).on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sockets = new Set<TLSSocket>()
  server.on('secureConnection', (socket: TLSSocket) => sockets.add(socket))
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, server, close }
}

function senderFor(kind: 'http' | 'grpc', options: Partial<DestinationOptions>): Sender {
  const settings = {
    compression: 'none',
    timeoutMs: 3000,
    protocol: kind === 'http' ? 'http/protobuf' : 'grpc',
  } as const
  const Kind = kind === 'http' ? HttpSender : GrpcSender
  return new Kind(destinationOptions({ ...settings, ...options }), '1', {})
}

const summary = (outcome: Outcome) => [outcome.kind, 'reason' in outcome ? outcome.reason : '']

/** One attempt, or the first that ends otherwise than by a channel that still waits to connect again. */
async function settled(sender: Sender, is: (outcome: Outcome) => boolean): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    const outcome = await sender.send(BODY, never)
    if (is(outcome)) return outcome
    assert.ok(attempt < 100, `still ${outcome.message}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

for (const kind of ['http', 'grpc'] as const) {
  test(`${kind}: mTLS; files that are replaced are used by the next connection, without a restart`, async (t) => {
    const directory = scratch(t)
    const { ca, leaf } = authority(directory, 'house')
    const to = await secureReceiver(kind, leaf('server'), ca)
    const [certFile, keyFile] = [join(directory, 'own.pem'), join(directory, 'own.key')]
    const install = ({ cert, key }: Leaf) => {
      copyFileSync(cert, certFile)
      copyFileSync(key, keyFile)
      utimesSync(certFile, new Date(), new Date(Date.now() + Math.random() * 1e6))
    }
    install(leaf('first'))
    const sender = senderFor(kind, {
      endpoint: to.url,
      tls: { ...TLS_DEFAULTS, caFile: ca, certFile, keyFile },
    })
    assert.deepEqual(summary(await sender.send(BODY, never)), ['sent', ''])
    assert.deepEqual(summary(await sender.send(BODY, never)), ['sent', ''])
    assert.deepEqual(to.seen, ['first'], 'one connection for both')

    install(leaf('expired', -1))
    const expired = await settled(sender, ({ message }) => /expired/.test(message))
    assert.equal(expired.kind, 'failed')
    assert.match(expired.message, new RegExp(`our certificate ${certFile} expired at`))

    const said = async () => (await sender.send(BODY, never)).message
    writeFileSync(keyFile, 'no key')
    assert.match(await said(), new RegExp(`TLS files: ${keyFile} holds no private key in PEM`))
    copyFileSync(leaf('other').key, keyFile)
    assert.match(await said(), new RegExp(`${keyFile} is not the key of the certificate ${certFile}`))
    rmSync(keyFile)
    const missing = await sender.send(BODY, never)
    assert.deepEqual(missing, {
      kind: 'failed',
      reason: 'tls',
      message: `cannot read the TLS file ${keyFile}: ENOENT; it is looked for again before each attempt`,
      delayMs: null,
    })

    install(leaf('second'))
    await settled(sender, (outcome) => outcome.kind === 'sent')
    assert.deepEqual(to.seen.at(-1), 'second')
    sender.close()
    to.close()
  })

  test(`${kind}: a receiver that is not who it should be is not sent to, but tried again`, async (t) => {
    const directory = scratch(t)
    const [house, other] = [authority(directory, 'house'), authority(directory, 'other')]
    const own = house.leaf('own')
    const tls = { ...TLS_DEFAULTS, caFile: house.ca, certFile: own.cert, keyFile: own.key }
    const stranger = await secureReceiver(kind, other.leaf('server'), house.ca)
    const strange = senderFor(kind, { endpoint: stranger.url, tls })
    const refused = await settled(strange, ({ message }) => /certificate/.test(message))
    assert.deepEqual(summary(refused), ['failed', 'tls'])
    assert.match(refused.message, new RegExp(`not signed by an authority that ${house.ca} trusts`))
    strange.close()
    const lenient = senderFor(kind, { endpoint: stranger.url, tls: { ...tls, insecureSkipVerify: true } })
    assert.deepEqual(summary(await lenient.send(BODY, never)), ['sent', ''])
    lenient.close()
    stranger.close()
    const late = await secureReceiver(kind, house.leaf('late', -1), house.ca)
    const waiting = senderFor(kind, { endpoint: late.url, tls })
    const outcome = await settled(waiting, ({ message }) => /expired/.test(message))
    assert.deepEqual(summary(outcome), ['failed', 'tls'])
    const fresh = house.leaf('fresh')
    late.server.setSecureContext({
      cert: readFileSync(fresh.cert),
      key: readFileSync(fresh.key),
      ca: readFileSync(house.ca),
    })
    await settled(waiting, (next) => next.kind === 'sent')
    waiting.close()
    late.close()
  })

  test(`${kind}: serverName is the name that is checked`, async (t) => {
    const directory = scratch(t)
    const { ca, leaf } = authority(directory, 'house')
    const own = leaf('own')
    const to = await secureReceiver(kind, leaf('server'), ca)
    const tls = { ...TLS_DEFAULTS, caFile: ca, certFile: own.cert, keyFile: own.key }
    for (const [serverName, expected] of [
      ['collector.test', 'sent'],
      ['wrong.test', 'failed'],
    ] as const) {
      const sender = senderFor(kind, { endpoint: to.url, tls: { ...tls, serverName } })
      const isTold = ({ kind, message }: Outcome) =>
        kind === 'sent' || /altnames.*tls\.serverName$/.test(message)
      assert.equal((await settled(sender, isTold)).kind, expected, serverName)
      sender.close()
    }
    to.close()
  })
}

test('a receiver of the other protocol, and one without TLS, are told as what they are', async (t) => {
  const plain = createPlainServer((_, response) => response.end()).listen(0, '127.0.0.1')
  const http2 = createPlainHttp2Server().listen(0, '127.0.0.1')
  t.after(() => [plain, http2].forEach((server) => void server.close()))
  await Promise.all([plain, http2].map((server) => server.listening || once(server, 'listening')))
  const address = (server: { address(): unknown }) => `127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [kind, endpoint, said] of [
    ['http', `https://${address(plain)}`, /wrong version number; TLS is not spoken here/],
    ['grpc', `https://${address(plain)}`, /wrong version number; TLS is not spoken here/],
    ['http', `http://${address(http2)}`, /is this the port of gRPC\?/],
    ['grpc', `http://${address(plain)}`, /is this the port of HTTP\?/],
  ] as const) {
    const sender = senderFor(kind, { endpoint, tls: TLS_DEFAULTS })
    const { message } = await settled(sender, (outcome) => said.test(outcome.message))
    assert.match(message, said)
    sender.close()
  }
})
