/** What the Collector takes from us and gives on is what we sent: any window, by gRPC, by HTTP and as its JSON. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { check } from '../../src/otlp/conformance.ts'
import { decodeRequest } from '../../src/otlp/decode.ts'
import { encodeRequests } from '../../src/otlp/encode.ts'
import { decodeResponse } from '../../src/otlp/response.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'
import { anyWindow, SCOPE } from '../unit/otlp/profiles.ts'
import { type Collector, startCollector } from './collector.ts'
import { skipWithoutCollector } from './collector-build.ts'
import { contentOf, sampleCount } from './content.ts'
import { callProfiles, postProfiles, type Receiver, startReceiver } from './receiver.ts'

const WINDOWS = 60
const MAX_BYTES = 3.5 * 1024 * 1024

describe('the Collector', { skip: skipWithoutCollector() }, () => {
  let receiver: Receiver
  let collector: Collector
  before(async () => {
    receiver = await startReceiver()
    collector = await startCollector(scratchDirectory(), { grpc: receiver.grpcPort, http: receiver.httpPort })
  })
  after(async () => {
    await collector.stop()
    await receiver.close()
  })

  const requests = () =>
    fc
      .sample(anyWindow, { numRuns: WINDOWS, seed: 11 })
      .flatMap(({ profile, split }) => encodeRequests(profile, split, SCOPE, MAX_BYTES))
      .map(({ bytes }) => bytes)

  async function post(bytes: Uint8Array): Promise<void> {
    const { status, body } = await postProfiles(collector.httpPort, bytes)
    assert.equal(status, 200, body)
    // It writes a partial_success that is there and empty, which means a full one.
    assert.deepEqual(decodeResponse(Buffer.from(body, 'latin1')), { rejected: 0, message: '' })
  }

  for (const protocol of ['grpc', 'http'] as const)
    it(`gives on by ${protocol} what we sent by ${protocol}, field by field`, async () => {
      const sent = requests()
      for (const bytes of sent) {
        assert.deepEqual(check(decodeRequest(bytes)), [])
        if (protocol === 'grpc') await callProfiles(collector.grpcPort, bytes)
        else await post(bytes)
      }
      const received = receiver.of(protocol)
      assert.equal(received.length, sent.length, collector.log())
      const before = contentOf(sent.map(decodeRequest))
      assert.ok(sampleCount(before) > WINDOWS, `${sampleCount(before)} samples`)
      assert.deepEqual(contentOf(received.map(({ bytes }) => decodeRequest(bytes))), before)
      for (const { version } of received) assert.equal(version, '1')
    })

  it('takes no other version of the schema than the one our header names', async () => {
    const [bytes = new Uint8Array()] = requests()
    const header = 'otlp-profiles-development-version'
    assert.equal((await postProfiles(collector.httpPort, bytes, { [header]: '2' })).status, 400)
    await assert.rejects(callProfiles(collector.grpcPort, bytes, '2'), /INVALID_ARGUMENT/)
  })
})
