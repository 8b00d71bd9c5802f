/** What is printed can be read again, hides secrets, and says where each key is from. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { configSchema } from '../../../src/config/json-schema.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { printConfig } from '../../../src/config/print.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-print-'))
const validate = new Ajv({ strict: false, allErrors: true }).compile(configSchema())

async function loaded(text: string, env: Record<string, string> = {}) {
  const file = join(directory, 'agent.yaml')
  writeFileSync(file, text)
  return await loadConfig({ file, env, flags: [] })
}

describe('--print-config', () => {
  it('says every key with its origin', async () => {
    const printed = printConfig(await loaded('queue:\n  dir: /q\n', { EMBERSCOPE_RATE: '29' }))
    assert.match(printed, /^rate: 29 # EMBERSCOPE_RATE$/m)
    assert.match(printed, /^window: 10s # default$/m)
    assert.match(printed, /^queue:\n {2}dir: \/q # .*agent\.yaml:2:8$/m)
    assert.match(printed, /^ {2}endpoint: "http:\/\/localhost:4318" # default$/m)
  })
  it('masks headers, tokens and proxies', async () => {
    const text =
      'token: hunter2\nexporter: { headers: { authorization: hunter2 }, proxy: "http://u:hunter2@p" }'
    const printed = printConfig(await loaded(text))
    assert.ok(!printed.includes('hunter2'), printed)
    assert.match(printed, /headers: \{"authorization":"\*\*\*"\}/)
    const listed = printConfig(
      await loaded(
        'destinations: [{ endpoint: "http://a:1", headers: { k: hunter2 } }, { endpoint: "http://b:1" }]',
      ),
    )
    assert.ok(!listed.includes('hunter2'), listed)
    assert.doesNotMatch(listed, /^exporter:/m)
  })
  it('with masked secrets is refused, not sent', async () => {
    const secret = 'token: hunter2\nexporter: { headers: { authorization: hunter2 } }'
    const printed = printConfig(await loaded(secret))
    await assert.rejects(loaded(printed), (error: Error) => {
      assert.match(error.message, /"token" is the \*\*\* that --print-config writes in place of a secret/)
      assert.match(error.message, /"exporter\.headers" is the \*\*\*/)
      return true
    })
    const listed = 'destinations: [{ endpoint: "http://a:1", headers: { k: "***" } }]'
    await assert.rejects(loaded(listed), /"destinations\[0\]\.headers" is the \*\*\*/)
  })
  for (const text of [
    '',
    'filter: { pids: [1], comms: ["a, b", "#x"] }\nresource: { attributes: { a: "x: y" } }\njitter: 0.3%',
    'rates:\n  - { comm: "a b", rate: 97 }\n  - { cgroup: /kubepods, rate: 0 }\n  - { pid: 7, rate: 1 }',
    'destinations:\n  - { name: eu, endpoint: "https://a:1", tls: { serverName: "x" } }\n  - { endpoint: "http://b:1", protocol: grpc }',
  ])
    it(`is read again as the same: ${JSON.stringify(text).slice(0, 40)}`, async () => {
      const first = await loaded(text)
      const printed = printConfig(first)
      const again = await loaded(printed)
      assert.deepEqual(again.config, first.config)
      assert.deepEqual(printConfig(again).replace(/ #.*$/gm, ''), printed.replace(/ #.*$/gm, ''))
      assert.ok(validate(parse(printed)), JSON.stringify(validate.errors))
    })
})

describe('the JSON schema', () => {
  it('takes what the loader takes, and refuses what it refuses', () => {
    const right = [
      'queue: { maxBytes: 1Gi }',
      'jitter: 20',
      'rates: [{ comm: a, rate: 0 }, { pidNamespace: 4026531836, rate: 999 }]',
      'listen: "off"',
      'exporter: { headers: { a: 1 } }',
      '{}',
    ]
    const wrong = [
      'rate: "19"',
      'window: 10',
      'queu: {}',
      'kernelStacks: "true"',
      'destinations: [{ name: a }]',
      'rate: 1000',
      'rates: [{ comm: a }]',
      'rates: [{ comm: a, pid: 1, rate: 9 }]',
      `rates: [${'{ comm: a, rate: 9 }, '.repeat(17)}]`,
    ]
    for (const text of right) assert.ok(validate(parse(text)), `${text}: ${JSON.stringify(validate.errors)}`)
    for (const text of wrong) assert.ok(!validate(parse(text)), text)
  })
})
