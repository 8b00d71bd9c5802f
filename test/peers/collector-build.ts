/**
 * Builds the OpenTelemetry Collector that we are tried against, where it is not there yet: `node
 * dist/test/peers/collector-build.js`. Go's module proxy is the only source; five minutes the first time. A machine
 * without Go or without a way to the proxy is told so, and its tests are skipped with the same words.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { findTool } from '../helpers/host.ts'

/** Releases of the Collector: of what is unstable and of what is stable in it. */
const UNSTABLE = '0.165.0'
const STABLE = '1.71.0'
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'emberscope-peers')
const REASON = join(CACHE, `otelcol-${UNSTABLE}.reason`)
const BUILD_LIMIT_MS = 20 * 60_000

export const COLLECTOR = join(CACHE, `otelcol-${UNSTABLE}`)

const CORE = 'go.opentelemetry.io/collector'
const FILE_EXPORTER = 'github.com/open-telemetry/opentelemetry-collector-contrib/exporter/fileexporter'
/** What the Collector is made of, by kind; the builder writes its main package from this. */
const COMPONENTS: Readonly<Record<string, readonly string[]>> = {
  receivers: [`${CORE}/receiver/otlpreceiver v${UNSTABLE}`],
  exporters: [
    `${CORE}/exporter/otlpexporter v${UNSTABLE}`,
    `${CORE}/exporter/otlphttpexporter v${UNSTABLE}`,
    `${FILE_EXPORTER} v${UNSTABLE}`,
  ],
  processors: [`${CORE}/processor/batchprocessor v${UNSTABLE}`],
  providers: ['env', 'file', 'yaml'].map((name) => `${CORE}/confmap/provider/${name}provider v${STABLE}`),
}
const LIBRARIES = [
  `${CORE}/component v${STABLE}`,
  `${CORE}/confmap v${STABLE}`,
  `${CORE}/otelcol v${UNSTABLE}`,
  `${CORE}/service v${UNSTABLE}`,
]

/** `skip` of a test that needs the Collector: false, or why it is not there. */
export function skipWithoutCollector(): string | false {
  if (existsSync(COLLECTOR)) return false
  const reason = existsSync(REASON) ? readFileSync(REASON, 'utf8') : 'run `npm run test:peers`'
  return `no Collector ${UNSTABLE} in ${CACHE}: ${reason}`
}

function go(args: readonly string[], directory: string): void {
  const environment = { GOFLAGS: '-mod=mod -buildvcs=false', CGO_ENABLED: '0', GOBIN: directory }
  run(['go', ...args], directory, environment)
}

function run(command: readonly string[], cwd: string, environment: Readonly<Record<string, string>>): void {
  const result: SpawnSyncReturns<string> = spawnSync('nice', ['-n', '10', ...command], {
    cwd,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: BUILD_LIMIT_MS,
    maxBuffer: 1 << 28,
  })
  if (result.status === 0) return
  const end = result.error?.message ?? result.stderr.trim().split('\n').slice(-3).join('; ')
  throw new Error(`\`${command.join(' ')}\` failed: ${end}`)
}

/** `go mod tidy` is left out on purpose: it follows a dependency of tests that cannot be had. */
function build(directory: string): void {
  const sources = join(directory, 'sources')
  const lists = Object.entries(COMPONENTS).map(
    ([kind, modules]) => `${kind}:\n${modules.map((module) => `  - gomod: ${module}\n`).join('')}`,
  )
  const distribution = `dist:\n  name: otelcol\n  version: ${UNSTABLE}\n  output_path: ${sources}\n`
  writeFileSync(join(directory, 'builder.yaml'), distribution + lists.join(''))
  go(['install', `${CORE}/cmd/builder@v${UNSTABLE}`], directory)
  const builder = [join(directory, 'builder'), '--config', 'builder.yaml']
  run([...builder, '--skip-get-modules', '--skip-compilation'], directory, {})
  const required = [...Object.values(COMPONENTS).flat(), ...LIBRARIES].map((module) => `\t${module}\n`)
  writeFileSync(join(sources, 'go.mod'), `module otelcol\n\ngo 1.25.0\n\nrequire (\n${required.join('')})\n`)
  go(['build', '-trimpath', '-ldflags=-s -w', '-o', join(directory, 'otelcol'), '.'], sources)
  cpSync(join(directory, 'otelcol'), `${COLLECTOR}.new`)
  renameSync(`${COLLECTOR}.new`, COLLECTOR) // whole or not there
}

function ensureCollector(): void {
  if (existsSync(COLLECTOR)) return
  mkdirSync(dirname(COLLECTOR), { recursive: true })
  const directory = mkdtempSync(join(tmpdir(), 'otelcol-'))
  const started = performance.now()
  try {
    if (findTool('go') === '') throw new Error('go is not installed')
    console.log(`building the Collector ${UNSTABLE} (once, about five minutes)`)
    build(directory)
    rmSync(REASON, { force: true })
    console.log(`built in ${Math.round((performance.now() - started) / 1000)} s`)
  } catch (error) {
    writeFileSync(REASON, (error as Error).message)
    console.log(`cannot build the Collector: ${(error as Error).message}; its tests are skipped`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) ensureCollector()
