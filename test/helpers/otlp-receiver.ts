/**
 * A receiver of OTLP profiles over HTTP on 127.0.0.1. Whatever comes must be a conforming request with the headers
 * the protocol asks for: what is not, is a fault that `assertSound` tells.
 */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Attributes } from '../../src/model/attributes.ts'
import type { Profile } from '../../src/model/profile.ts'
import { check } from '../../src/otlp/conformance.ts'
import { decodeRequest } from '../../src/otlp/decode.ts'
import { toProfiles } from '../../src/otlp/to-profiles.ts'

export interface ReceivedProfile {
  readonly resource: Attributes
  readonly profile: Profile
}

export interface OtlpReceiver {
  readonly url: string
  readonly port: number
  /** In order of arrival; repeated requests are there twice. */
  readonly profiles: readonly ReceivedProfile[]
  /** Status of the next answers, 200 unless set; requests answered otherwise are not kept. */
  status: number
  assertSound(): void
  close(): Promise<void>
}

/** `port` 0 is any free one; without `keeps` it answers and forgets, for hours of load. */
export async function startReceiver(port = 0, keeps = true): Promise<OtlpReceiver> {
  const faults: string[] = []
  const profiles: ReceivedProfile[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (keeps && receiver.status === 200) keep(request, body)
      answer(response, receiver.status)
    })
  })
  const keep = (request: IncomingMessage, body: Buffer) => {
    try {
      faults.push(...headerFaults(request))
      const data = decodeRequest(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
      faults.push(...check(data))
      profiles.push(...toProfiles(data))
    } catch (error) {
      faults.push(String(error))
    }
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const taken = (server.address() as AddressInfo).port
  const receiver: OtlpReceiver = {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    profiles,
    status: 200,
    assertSound: () => assert.deepEqual(faults, []),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return receiver
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function headerFaults({ method, url, headers }: IncomingMessage): string[] {
  const expected: Record<string, unknown> = {
    method: 'POST',
    url: '/v1development/profiles',
    'content-type': 'application/x-protobuf',
    'otlp-profiles-development-version': '1',
  }
  const found: Record<string, unknown> = { ...headers, method, url }
  return Object.keys(expected)
    .filter((name) => found[name] !== expected[name])
    .map((name) => `${name} is ${String(found[name])}`)
}

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/x-protobuf' })
  response.end()
}
