/** A Collector that is away while the agent runs, is killed and starts again: what was accepted arrives (E-30…E-32). */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { decodeRequest } from '../../src/otlp/decode.ts'
import { startBusy, until } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'
import { startAgent } from './agent.ts'
import { reservePorts, startCollector } from './collector.ts'
import { skipWithoutCollector } from './collector-build.ts'
import { contentOf } from './content.ts'
import { type Received, type Receiver, startReceiver } from './receiver.ts'

const profilesOf = (received: readonly Received[]) =>
  new Set(
    contentOf(received.map(({ bytes }) => decodeRequest(bytes))).map((profile) => JSON.stringify(profile)),
  )

describe('an outage of the Collector', { skip: skipUnless() || skipWithoutCollector() }, () => {
  const busy = startBusy('peer-target')
  const open: Receiver[] = []
  after(async () => {
    busy.kill('SIGKILL')
    for (const receiver of open) await receiver.close()
  })
  const receiver = async () => {
    const one = await startReceiver()
    open.push(one)
    return one
  }

  for (const protocol of ['grpc', 'http/protobuf'] as const)
    it(`loses nothing that was accepted, over kill -9 of the agent as well (${protocol})`, async () => {
      const [direct, behind, ports] = [await receiver(), await receiver(), await reservePorts()]
      const port = protocol === 'grpc' ? ports.grpc : ports.http
      const directory = scratchDirectory()
      const configuration = [
        'window: 1s',
        'destinations:',
        `  - { name: direct, endpoint: "http://127.0.0.1:${direct.httpPort}" }`,
        `  - { name: peer, endpoint: "http://127.0.0.1:${port}", protocol: ${protocol}, retry: { initialInterval: 100ms, maxInterval: 500ms } }`,
      ]
      const first = await startAgent(directory, configuration)
      await until('some windows', () => direct.received.length >= 3)
      await first.kill() // what `direct` got was in the queue before
      const second = await startAgent(directory, configuration)
      const before = direct.received.length
      await until('more windows', () => direct.received.length >= before + 2)
      const to = { grpc: behind.grpcPort, http: behind.httpPort }
      const collector = await startCollector(scratchDirectory(), to, ports)
      await until('what was accepted', () => behind.received.length >= direct.received.length)
      assert.equal(await second.stop(), 0, second.log())
      await collector.stop()
      const arrived = profilesOf(behind.received)
      const accepted = [...profilesOf(direct.received)]
      assert.ok(accepted.length > 3, `${accepted.length} profiles`)
      assert.equal(accepted.filter((profile) => !arrived.has(profile)).length, 0)
    })
})
