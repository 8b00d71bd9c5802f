/** Every key by file, environment and flag; who wins; and what each wrong value is told. */
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { changedKeys } from '../../../src/config/changed-keys.ts'
import type { KeyType } from '../../../src/config/key-type.ts'
import { type ConfigSources, loadConfig } from '../../../src/config/load.ts'
import { flagOf, KEYS, keyOfFlag, variableOf } from '../../../src/config/schema.ts'
import { AgentError } from '../../../src/errors.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-config-'))
let files = 0

function fileOf(text: string | Uint8Array): string {
  const path = join(directory, `${++files}.yaml`)
  writeFileSync(path, text)
  return path
}

const load = (sources: Partial<ConfigSources>) => loadConfig({ file: '', env: {}, flags: [], ...sources })
const loadText = (text: string) => load({ file: fileOf(text) })

/** The message of the refusal, with the file's directory cut off. */
async function refusal(sources: Partial<ConfigSources>): Promise<string> {
  const error = await load(sources).then(
    () => assert.fail('it was accepted'),
    (cause) => cause,
  )
  assert.ok(error instanceof AgentError && error.code === 'config_invalid', String(error?.stack))
  return error.message.replaceAll(`${directory}/`, '')
}

/** A value that is right and not the default: as YAML, as text, and as it is read. */
function example(type: KeyType): [yaml: string, text: string, value: unknown] {
  switch (type.kind) {
    case 'duration':
      return [`${type.min + 1}ms`, `${type.min + 1}ms`, type.min + 1]
    case 'bytes':
      return [`${type.min + 1}`, `${type.min + 1}B`, type.min + 1]
    case 'percent':
      return [`${type.max * 100}%`, `${type.max * 100}%`, type.max]
    case 'integer':
      return [`${type.min + 2}`, `${type.min + 2}`, type.min + 2]
    case 'boolean':
      return ['true', 'true', true]
    case 'string':
      return ['"a b"', 'a b', 'a b']
    case 'path':
      return ['/a/b', '/a/b', '/a/b']
    case 'cgroup':
      return ['a.slice/b', 'a.slice/b', 'a.slice/b']
    case 'endpoint':
      return ['https://c:1/x', 'https://c:1/x', 'https://c:1/x']
    case 'listen':
      return ['"[::1]:80"', '[::1]:80', '[::1]:80']
    case 'enum':
      return [type.values.at(-1)!, type.values.at(-1)!, type.values.at(-1)!]
    case 'list': {
      const [yaml, text, value] = example(type.of)
      return [`[${yaml}, ${yaml}]`, `${text},${text}`, [value, value]]
    }
    case 'map':
      return ['{ a: b, "c-d": 007 }', 'a=b,%63-d=007', { a: 'b', 'c-d': '007' }]
    case 'records':
      if (type.noun === 'rates')
        return ['[{ comm: a, rate: 97 }]', '[{"comm": "a", "rate": 97}]', [{ comm: 'a', rate: 97 }]]
      return ['[{ endpoint: "http://a:1" }]', '[{"endpoint": "http://a:1"}]', undefined]
  }
}

function nested(path: string, yaml: string): string {
  const names = path.split('.')
  return `${names.map((name, i) => `${'  '.repeat(i)}${name}:`).join('\n')} ${yaml}\n`
}

describe('every key', () => {
  for (const { path, type } of KEYS) {
    const [yaml, text, value] = example(type)
    const check = async (sources: Partial<ConfigSources>, origin: RegExp) => {
      const loaded = await load(sources)
      assert.match(loaded.origins.get(path)!, origin)
      if (value !== undefined) assert.deepEqual(JSON.parse(JSON.stringify(loaded.values.get(path))), value)
      else assert.equal(loaded.config.destinations[0]!.endpoint, 'http://a:1')
    }
    // TLS files need https, client certificates come in pairs, and so on: the rest of what makes a whole.
    const whole = path.startsWith('exporter.tls.') || path.startsWith('exporter.retry.')
    const env: Record<string, string> = whole
      ? {
          EMBERSCOPE_EXPORTER_ENDPOINT: 'https://c:1',
          EMBERSCOPE_EXPORTER_TLS_CERT: '/c',
          EMBERSCOPE_EXPORTER_TLS_KEY: '/k',
          EMBERSCOPE_EXPORTER_RETRY_INITIAL_INTERVAL: '10ms',
        }
      : {}
    const others = { ...env }
    delete others[variableOf(path)]
    it(`${path} comes from the file`, () =>
      check({ file: fileOf(nested(path, yaml)), env: others }, /\.yaml:\d+:\d+$/))
    it(`${path} comes from ${variableOf(path)}`, () =>
      check({ env: { ...env, [variableOf(path)]: text } }, new RegExp(`^${variableOf(path)}$`)))
    it(`${path} comes from --${flagOf(path)} and --${path}`, async () => {
      await check({ flags: [[flagOf(path), text]], env }, /^--/)
      await check({ flags: [[path, text]], env }, /^--/)
    })
  }
  it('has one variable and one flag', () => {
    assert.equal(new Set(KEYS.map((key) => variableOf(key.path))).size, KEYS.length)
    assert.equal(new Set(KEYS.map((key) => flagOf(key.path))).size, KEYS.length)
    assert.equal(variableOf('queue.maxBytes'), 'EMBERSCOPE_QUEUE_MAX_BYTES')
    assert.equal(flagOf('queue.maxBytes'), 'queue-max-bytes')
    assert.equal(keyOfFlag('nothing'), undefined)
  })
  it('has a default that is right, and a frozen place in the configuration', async () => {
    const { config } = await load({})
    assert.equal(config.rate, 19)
    assert.equal(config.window, 10_000)
    assert.equal(config.jitter, 0.2)
    assert.equal(config.maxOverhead, 0.01)
    assert.equal(config.listen, '127.0.0.1:9464')
    assert.deepEqual(config.queue, {
      dir: '/var/lib/emberscope/queue',
      maxBytes: 512 * 2 ** 20,
      fsync: 'batch',
    })
    assert.equal(config.destinations.length, 1)
    const [destination] = config.destinations
    assert.equal(destination!.endpoint, 'http://localhost:4318')
    assert.equal(destination!.protocol, 'http/protobuf')
    assert.equal(destination!.timeout, 10_000)
    assert.equal(destination!.compression, 'gzip')
    assert.throws(() => Object.assign(config.queue, { dir: '/' }), TypeError)
    assert.throws(() => Object.assign(destination!.tls, { ca: '/' }), TypeError)
    for (const { path } of KEYS.filter((key) => !key.path.startsWith('exporter.'))) {
      const found = path
        .split('.')
        .reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], config)
      assert.notEqual(found, undefined, path)
    }
  })
})

describe('who wins', () => {
  it('flags over the environment, that over the file, the last flag over the others', async () => {
    const file = fileOf('rate: 1\nwindow: 1s\njitter: 1%\n')
    const env = { EMBERSCOPE_RATE: '2', EMBERSCOPE_WINDOW: '2s', EMBERSCOPE_JITTER: '' }
    const { config } = await load({
      file,
      env,
      flags: [
        ['rate', '3'],
        ['rate', '4'],
      ],
    })
    assert.deepEqual([config.rate, config.window, config.jitter], [4, 2000, 0.01])
  })
  it('our variables over those of OpenTelemetry, those of the signal over the general ones', async () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://general:1/base/',
      OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT: 'http://signal:1/in',
      OTEL_EXPORTER_OTLP_TIMEOUT: '250',
      OTEL_EXPORTER_OTLP_PROFILES_COMPRESSION: 'none',
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20x;note=y, b = c ',
    }
    const { config } = await load({ env })
    const [got] = config.destinations
    assert.deepEqual([got!.endpoint, got!.endpointIsWhole], ['http://signal:1/in', true])
    assert.deepEqual([got!.timeout, got!.compression], [250, 'none'])
    assert.deepEqual({ ...got!.headers }, { Authorization: 'Bearer x', b: 'c' })
    const ours = (await load({ env: { ...env, EMBERSCOPE_EXPORTER_ENDPOINT: 'http://ours:1' } })).config
      .destinations[0]
    assert.deepEqual([ours!.endpoint, ours!.endpointIsWhole], ['http://ours:1', false])
  })
  it('an endpoint of the environment replaces the list of the file; other keys of it do not', async () => {
    const file = fileOf(
      'destinations:\n  - { name: a, endpoint: "http://a:1" }\n  - { endpoint: "http://b:1", protocol: grpc }\n',
    )
    const listed = await load({ file, env: { OTEL_EXPORTER_OTLP_HEADERS: 'k=v' } })
    assert.deepEqual(
      listed.config.destinations.map((d) => [d.name, d.protocol, d.headers]),
      [
        ['a', 'http/protobuf', {}],
        ['2', 'grpc', {}],
      ],
    )
    assert.equal(listed.warnings.length, 1)
    const single = await load({ file, env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1' } })
    assert.deepEqual(
      single.config.destinations.map((d) => d.endpoint),
      ['http://c:1'],
    )
    assert.match(single.warnings[0]!, /OTEL_EXPORTER_OTLP_ENDPOINT replaces the list/)
  })
  it('both in one file are refused', async () => {
    const text = 'exporter: { timeout: 1s }\ndestinations: [{ endpoint: "http://a:1" }]'
    assert.match(await refusal({ file: fileOf(text) }), /exclude each other/)
  })
})

describe('the variables of OpenTelemetry', () => {
  it('are unset when empty, and told and ignored when wrong', async () => {
    const { config, warnings } = await load({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: '',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/xml',
        OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'zip',
        OTEL_EXPORTER_OTLP_HEADERS: 'api-key=hunter2,%zz=1',
        OTEL_EXPORTER_OTLP_PROFILES_HEADERS: 'api%20key=hunter2',
        OTEL_EXPORTER_OTLP_PROFILES_ENDPOINT: 'http://user:hunter2@c:1',
      },
    })
    assert.equal(warnings.length, 6, warnings.join('\n'))
    assert.ok(!warnings.join().includes('hunter2'))
    assert.ok(warnings.includes('OTEL_EXPORTER_OTLP_TIMEOUT is ignored: it must be a number of milliseconds'))
    assert.equal(config.destinations[0]!.endpoint, 'http://localhost:4318')
    assert.equal(config.destinations[0]!.protocol, 'http/protobuf')
  })
  it('for TLS are for destinations with TLS: told and ignored where one has none', async () => {
    const files = { CERTIFICATE: '/ca.pem', CLIENT_CERTIFICATE: '/c.pem', CLIENT_KEY: '/k.pem' }
    const env = Object.fromEntries(
      Object.entries(files).map(([name, path]) => [`OTEL_EXPORTER_OTLP_${name}`, path]),
    )
    const plain = await load({ env })
    const { tls } = plain.config.destinations[0]!
    assert.deepEqual([tls.ca, tls.cert, tls.key], ['', '', ''])
    assert.equal(plain.warnings.length, 3)
    assert.ok(
      plain.warnings.includes(
        'OTEL_EXPORTER_OTLP_CERTIFICATE is ignored: http://localhost:4318 is plaintext',
      ),
    )
    const secure = await load({ env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:4318' } })
    assert.deepEqual(secure.warnings, [])
    assert.equal(secure.config.destinations[0]!.tls.ca, '/ca.pem')
    // Who names them for this agent alone means them.
    assert.match(await refusal({ env: { EMBERSCOPE_EXPORTER_TLS_CA: '/ca.pem' } }), /is plaintext/)
  })
  it('allow HOST:PORT for gRPC, in TLS unless INSECURE says otherwise', async () => {
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317' }
    const endpoint = async (more: object) =>
      (await load({ env: { ...env, ...more } })).config.destinations[0]!.endpoint
    assert.equal(await endpoint({}), 'https://c:4317')
    assert.equal(await endpoint({ OTEL_EXPORTER_OTLP_INSECURE: 'TRUE' }), 'http://c:4317')
    assert.equal(
      await endpoint({ OTEL_EXPORTER_OTLP_INSECURE: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c:4317' }),
      'https://c:4317',
    )
  })
  it('HOST:PORT alone goes by the protocol that is in force, whoever set it, and is told where it is none', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317' }
    const grpc: readonly Partial<ConfigSources>[] = [
      { env, flags: [['exporter-protocol', 'grpc']] },
      { env: { ...env, EMBERSCOPE_EXPORTER_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' } },
      { env, file: fileOf('exporter: { protocol: grpc }') },
    ]
    for (const sources of grpc)
      assert.equal((await load(sources)).config.destinations[0]!.endpoint, 'https://c:4317')
    const { config, warnings } = await load({ env, flags: [['exporter-protocol', 'http/json']] })
    assert.equal(config.destinations[0]!.endpoint, 'http://localhost:4318')
    assert.match(warnings.join(), /ENDPOINT is ignored: it must begin with http:\/\/ .*for the protocol grpc/)
  })

  it('gRPC without an endpoint is on port 4317', async () => {
    const { config } = await load({ env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } })
    assert.equal(config.destinations[0]!.endpoint, 'http://localhost:4317')
  })
  it('name the agent; OTEL_SERVICE_NAME beats service.name', async () => {
    const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,deployment.environment.name=p%20q' }
    const { config } = await load({ env: attributes })
    assert.equal(config.telemetry.serviceName, 'a')
    assert.deepEqual({ ...config.resource.attributes }, { 'deployment.environment.name': 'p q' })
    const named = await load({ env: { ...attributes, OTEL_SERVICE_NAME: 'b', OTEL_SDK_DISABLED: 'true' } })
    assert.deepEqual([named.config.telemetry.serviceName, named.config.telemetry.signals], ['b', []])
  })
  it('turn the own metrics on and off', async () => {
    const signals = async (env: Record<string, string>) => (await load({ env })).config.telemetry.signals
    assert.deepEqual(await signals({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_LOGS_EXPORTER: 'console, otlp' }), [
      'metrics',
      'logs',
    ])
    assert.deepEqual(await signals({ OTEL_METRICS_EXPORTER: 'none' }), [])
    assert.deepEqual(await signals({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_SDK_DISABLED: 'true' }), [])
  })
})

describe('what is refused', () => {
  const cases: readonly (readonly [yaml: string, message: RegExp])[] = [
    ['rate: fast', /1\.yaml:1:7: "rate" must be an integer from 1 to 999, got the text "fast"/],
    ['rate: "19"', /must be an integer .*, got the text "19"/],
    ['rate: 0', /from 1 to 999, got 0/],
    ['rate: 1.5', /got 1\.5/],
    ['rate: 1e2', /got 1e2/],
    ['rate: .inf', /got \.inf/],
    ['rate:', /got nothing/],
    ['rate: [1]', /got a list/],
    ['rate: { a: 1 }', /got a map/],
    ['window: 10', /must be a time from 1s to 10m with its unit \(ms, s, m, h\), got 10/],
    ['window: 1d', /got the text "1d"/],
    ['window: 11m', /got the text "11m"/],
    ['window: -1s', /got the text "-1s"/],
    ['queue: { maxBytes: 1 }', /"queue.maxBytes" must be a size from 1MiB to 1024GiB, such as 64MiB, got 1/],
    ['queue: { maxBytes: 512 MB/s }', /512 MB\/s/],
    ['queue: { maxBytes: 1constructor }', /1constructor/],
    ['queue: 7', /"queue" must be a map of keys, got 7/],
    ['maxOverhead: 200%', /from 0\.1% to 100%/],
    ['kernelStacks: yes', /must be true or false, got the text "yes"/],
    ['kernelStacks: "true"', /got the text "true"/],
    ['queue: { dir: relative/path }', /must be an absolute path/],
    ['queue: { fsync: always }', /one of batch, interval, never, got the text "always"/],
    ['listen: 9464', /HOST:PORT, :PORT or off, got 9464/],
    ['listen: "h:65536"', /got the text "h:65536"/],
    ['exporter: { endpoint: collector }', /must be a URL of http, https or unix/],
    ['exporter: { endpoint: "ftp://a" }', /ftp/],
    ['exporter: { endpoint: "http://u:hunter2@c" }', /without user and password/],
    ['exporter: { headers: [a] }', /"exporter.headers" must be a map of texts, got something else/],
    ['exporter: { headers: { a: { b: hunter2 } } }', /must be a map of texts/],
    ['exporter: { headers: { "a b": c } }', /header whose name is none/],
    ['exporter: { headers: { a: "b\\nc" } }', /whose value cannot be sent/],
    ['exporter: { tls: { cert: /c } }', /tls\.cert and tls\.key go together/],
    ['exporter: { tls: { ca: /c } }', /is plaintext: begin it with https/],
    ['exporter: { retry: { initialInterval: 1m } }', /larger than retry\.maxInterval/],
    ['filter: { pids: [1, x] }', /"filter.pids" must be an integer from 1 to 4194304, got the text "x"/],
    ['filter: { pids: 1 }', /must be a list, each an integer/],
    ['rates: { comm: a, rate: 1 }', /"rates" must be a list of rates, each a map/],
    ['rates: [{ rate: 1 }]', /"rates\[0\]" needs exactly one of cgroup, pidNamespace, comm, pid, got none/],
    ['rates: [{ comm: "", rate: 1 }]', /needs exactly one of .*, got none/],
    ['rates: [{ comm: a, pid: 1, rate: 1 }]', /needs exactly one of .*, got comm and pid/],
    ['rates: [{ comm: a }]', /"rates\[0\]" needs a rate/],
    ['rates: [{ comm: a, rate: 1000 }]', /"rates\[0\]\.rate" must be an integer from 0 to 999, got 1000/],
    ['rates: [{ comm: a, rate: "97" }]', /got the text "97"/],
    ['rates: [{ pid: 0, rate: 9 }]', /"rates\[0\]\.pid" must be an integer from 1 to 4194304, got 0/],
    ['rates: [{ cgroup: a/../b, rate: 9 }]', /"rates\[0\]\.cgroup" must be the path of a cgroup/],
    ['rates: [{ com: a, rate: 9 }]', /unknown key "rates\[0\]\.com"; did you mean "rates\[0\]\.comm"/],
    [`rates: [${'{ comm: a, rate: 9 }, '.repeat(17)}]`, /"rates" must have at most 16 items, got 17/],
    ['destinations: {}', /must be a list of destinations/],
    ['destinations: [1]', /"destinations\[0\]" must be a map of keys, got 1/],
    ['destinations: [{ name: a }]', /"destinations\[0\]" needs an endpoint/],
    [
      'destinations: [{ endpoint: "http://a" }, { name: "1", endpoint: "http://a" }]',
      /destinations\[1\]\.name" must be unique/,
    ],
    [
      'destinations: [{ endpoint: "http://a", tls: { caa: /x } }]',
      /unknown key "destinations\[0\]\.tls\.caa"; did you mean "destinations\[0\]\.tls\.ca"/,
    ],
    ['max_overhead: 1%', /1\.yaml:1:1: unknown key "max_overhead"; did you mean "maxOverhead"/],
    ['queue:\n  maxbytes: 1GiB', /:2:3: unknown key "queue\.maxbytes"; did you mean "queue\.maxBytes"/],
    ['maxBytes: 1GiB', /unknown key "maxBytes"; did you mean "/],
    ['xyzzy: 1', /unknown key "xyzzy"$/],
    ['__proto__: 1', /unknown key "__proto__"/],
    ['rate: 1\nrate: 2', /:2:1: is no YAML: Map keys must be unique/],
    ['a: [', /is no YAML/],
    ['- rate', /the file must be a map of keys, got a list/],
    ['rate', /got a single value/],
    ['a: &x 1\nb: *x', /aliases/],
    ['? [a]\n: 1', /a key must be a word/],
    ['rate: 1\n---\nrate: 2', /is no YAML/],
    ['rate: !!binary aGk=', /must be a text, a number, true or false|integer/],
    [`${'a: {'.repeat(50)}${'}'.repeat(50)}`, /nested too deep/],
  ]
  for (const [yaml, message] of cases)
    it(JSON.stringify(yaml).slice(0, 70), async () => {
      files = 0
      const told = await refusal({ file: fileOf(yaml) })
      assert.match(told, message)
      assert.ok(!told.includes('hunter2'), told)
    })

  it('is told all at once, at most ten', async () => {
    const told = await refusal({
      file: fileOf('rate: 0\nwindow: 0\n'),
      env: { EMBERSCOPE_JITTER: '99%' },
      flags: [
        ['listen', 'x'],
        ['lisen', 'x'],
      ],
    })
    assert.match(told, /wrong in 5 places:/)
    assert.match(told, /EMBERSCOPE_JITTER: "jitter" must be/)
    assert.match(told, /--lisen: no such flag; did you mean --listen\?/)
    const many = await refusal({ file: fileOf(Array.from({ length: 30 }, (_, i) => `k${i}: 1`).join('\n')) })
    assert.match(many, /and 20 more$/)
  })
  it('a file that is not there, no text, or endless', async () => {
    assert.match(
      await refusal({ file: '/nowhere/agent.yaml' }),
      /cannot read the configuration \/nowhere\/agent\.yaml: ENOENT/,
    )
    assert.match(await refusal({ file: directory }), /EISDIR/)
    assert.match(await refusal({ file: '/dev/zero' }), /larger than/)
    assert.match(await refusal({ file: fileOf(Buffer.from([0xff, 0xfe])) }), /not UTF-8/)
  })
  it('a secret that is wrong, unseen', async () => {
    const told = await refusal({ env: { EMBERSCOPE_EXPORTER_HEADERS: 'hunter2' } })
    assert.ok(!told.includes('hunter2'), told)
    assert.match(told, /pair 1 is none/)
  })
})

describe('a file', () => {
  it('may be empty, comments only, JSON, or have empty maps', async () => {
    for (const text of ['', '# nothing\n', 'null', '{}', 'queue:\nexporter:\n'])
      assert.equal((await loadText(text)).config.rate, 19, text)
    const { config } = await loadText(
      '{"rate": 29, "filter": {"comms": ["a", 7]}, "queue": {"maxBytes": "1Gi"}}',
    )
    assert.deepEqual([config.rate, config.filter.comms, config.queue.maxBytes], [29, ['a', '7'], 2 ** 30])
  })
  it('keeps the spelling of texts that look like numbers', async () => {
    const { config } = await loadText('exporter: { headers: { a: 0x10, b: 1.50, c: true } }')
    assert.deepEqual({ ...config.destinations[0]!.headers }, { a: '0x10', b: '1.50', c: 'true' })
  })
})

describe('variables we do not know', () => {
  it('are told with the nearest one; those of a Kubernetes service are not ours', async () => {
    const { warnings } = await load({
      env: {
        EMBERSCOPE_RATEZ: '7',
        EMBERSCOPE_SERVICE_HOST: '10.0.0.1',
        EMBERSCOPE_PORT_9464_TCP_ADDR: '10.0.0.1',
        EMBERSCOPE_PORT: 'tcp://10.0.0.1:9464',
        EMBERSCOPE_METRICS_SERVICE_PORT_HTTP: '1',
        EMBERSCOPE_CACHE_DIR: '/x',
      },
    })
    assert.deepEqual(warnings, [
      'the variable EMBERSCOPE_RATEZ is unknown and ignored; did you mean EMBERSCOPE_RATE?',
    ])
  })
})

describe('a reload', () => {
  it('changes the keys whose values differ, wherever they come from', async () => {
    const before = await load({ env: { EMBERSCOPE_RATE: '29' } })
    const same = await load({ flags: [['rate', '29']] })
    assert.deepEqual(changedKeys(before, same), [])
    const after = await load({
      flags: [
        ['exporter-timeout', '1s'],
        ['log-level', 'debug'],
      ],
    })
    assert.deepEqual(
      changedKeys(before, after).map((key) => [key.path, key.stage]),
      [
        ['rate', 'rate'],
        ['exporter.timeout', 'exporter'],
        ['logLevel', 'log'],
      ],
    )
  })
  it('that only changes what a list of destinations hides, changes nothing', async () => {
    const file = fileOf('destinations: [{ endpoint: "http://a:1" }]')
    const before = await load({ file })
    const after = await load({ file, env: { EMBERSCOPE_EXPORTER_TIMEOUT: '1s' } })
    assert.deepEqual(changedKeys(before, after), [])
  })
})
