/** What the Collector takes from us and gives on is what we sent: any window, by gRPC, by HTTP and as its JSON. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { check } from '../../src/otlp/conformance.ts'
import { decodeRequest } from '../../src/otlp/decode.ts'
import { encodeRequests } from '../../src/otlp/encode.ts'
import { fromJson, toJson } from '../../src/otlp/json.ts'
import { decodeResponse } from '../../src/otlp/response.ts'
import { until } from '../helpers/busy-process.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'
import { anyWindow, SCOPE } from '../unit/otlp/profiles.ts'
import { type Collector, jsonLines, startCollector } from './collector.ts'
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

  it('writes attributes by reference into the string table, which we resolve', () => {
    const { resourceProfiles } = decodeRequest(receiver.of('grpc')[0]!.bytes)
    const attributes = resourceProfiles.flatMap(({ resource }) => resource?.attributes ?? [])
    assert.ok(attributes.some(({ keyStrindex, key }) => keyStrindex > 0 && key === ''))
    assert.ok(attributes.some(({ value }) => value.kind === 'strindex'))
  })

  it('takes our JSON as the same content, and writes JSON that we read as the same', async () => {
    const before = receiver.of('http').length
    const written = jsonLines(collector.file).length
    const sent = requests().map(decodeRequest)
    for (const data of sent) {
      const json = toJson(data, { profileId: 'hex' })
      const { status, body } = await postProfiles(collector.httpPort, json, {
        'content-type': 'application/json',
      })
      assert.equal(status, 200, body)
      assert.match(body, /^\{("partialSuccess":\{\})?\}$/)
    }
    const content = contentOf(sent)
    const received = receiver.of('http').slice(before)
    assert.deepEqual(contentOf(received.map(({ bytes }) => decodeRequest(bytes))), content)
    await until('the file', () => jsonLines(collector.file).length === written + sent.length)
    assert.deepEqual(contentOf(jsonLines(collector.file).slice(written).map(fromJson)), content)
  })

  it('takes no other version of the schema than the one our header names', async () => {
    const [bytes = new Uint8Array()] = requests()
    const header = 'otlp-profiles-development-version'
    assert.equal((await postProfiles(collector.httpPort, bytes, { [header]: '2' })).status, 400)
    await assert.rejects(callProfiles(collector.grpcPort, bytes, '2'), /INVALID_ARGUMENT/)
  })
})
