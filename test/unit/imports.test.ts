/** The direction of imports: which room of src/ may use which. A new room is a new row; nothing ever points upwards. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { test } from 'node:test'

const SOURCES = resolve('src')
const BASE = ['model', 'errors', 'stats', 'log']
const READERS = [...BASE, 'native', 'process', 'pprof', 'formats']
const STAGES = [...READERS, 'protobuf', 'otlp', 'aggregate', 'symbolize', 'pipeline', 'metrics', 'server']
const AGENT_STAGES = [...STAGES, 'identity', 'export', 'telemetry']

/** Room -> the rooms it may import besides itself. A file directly under src/ is a room of its own. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  errors: [],
  log: ['errors'],
  model: ['errors'],
  stats: ['model'],
  native: BASE,
  process: [...BASE, 'native'], // the batches of events
  protobuf: ['errors'],
  otlp: [...BASE, 'protobuf'],
  view: BASE, // what fits the screen: for the page's worker, and for static pictures
  formats: [...BASE, 'pprof', 'otlp', 'view'], // reading any format
  pprof: [...BASE, 'protobuf'],
  aggregate: [...BASE, 'native', 'process'],
  symbolize: [...BASE, 'native', 'process'],
  pipeline: [...BASE, 'native', 'process', 'aggregate', 'symbolize'],
  identity: [...BASE, 'process', 'protobuf'],
  export: [...BASE, 'protobuf', 'otlp'],
  metrics: BASE,
  telemetry: [...BASE, 'metrics'],
  config: BASE,
  server: [...BASE, 'pprof', 'formats', 'metrics'],
  agent: [...AGENT_STAGES, 'config'],
  cli: [...STAGES, 'config'],
  main: [...AGENT_STAGES, 'config', 'agent', 'cli'],
  viewer: ['model', 'stats', 'view', 'formats', 'pprof', 'otlp', 'protobuf', 'errors'],
}

const roomOf = (path: string) => relative(SOURCES, path).replace(/[/.].*/, '')
const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)
const importsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:\bfrom|\bimport|\bimport\()\s*'([^']+)'/g)].map(
    ([, name]) => name!,
  )

test('every import points downwards by the table', () => {
  const wrong: string[] = []
  for (const name of files) {
    const file = join(SOURCES, name)
    const allowed = MAY_IMPORT[roomOf(file)]
    assert.ok(allowed, `src/${name}: its room has no row in the table`)
    for (const target of importsOf(file).filter((path) => path.startsWith('.'))) {
      const room = roomOf(resolve(file, '..', target))
      if (room !== roomOf(file) && !allowed.includes(room)) wrong.push(`src/${name} imports ${target}`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(files.length > 20, `only ${files.length} sources found: is this the checkout?`)
})

test('nothing the viewer bundles imports a module of Node', () => {
  const reached = new Set<string>()
  const visit = (file: string) => {
    if (reached.has(file)) return
    reached.add(file)
    for (const target of importsOf(file)) {
      assert.ok(!target.startsWith('node:'), `${relative(SOURCES, file)} imports ${target}`)
      if (target.endsWith('.ts')) visit(resolve(file, '..', target))
    }
  }
  for (const name of files.filter((path) => path.startsWith('viewer/'))) visit(join(SOURCES, name))
})

test('the OpenTelemetry SDK and gRPC are loaded when they are wanted, not at the start', () => {
  const HEAVY = /^import (?!type ).* from '@(opentelemetry|grpc)\//m
  const LAZY = /^(telemetry\/sdk-\w+|export\/grpc[\w-]*)\.ts$/
  const eager = files.filter(
    (name) => HEAVY.test(readFileSync(join(SOURCES, name), 'utf8')) && !LAZY.test(name),
  )
  assert.deepEqual(eager, [])
  const importing = files.filter((name) =>
    /^import (?!type ).*\/sdk-\w+\.ts'/m.test(readFileSync(join(SOURCES, name), 'utf8')),
  )
  assert.deepEqual(importing, [], 'the modules that need the SDK are imported by await import()')
})

test('only src/native/addon.ts loads the addon', () => {
  const loading = files.filter((name) =>
    readFileSync(join(SOURCES, name), 'utf8').includes("'node-gyp-build'"),
  )
  assert.deepEqual(loading, ['native/addon.ts'])
})
