// The build as a list of steps. A step runs when the content of its inputs differs from the last successful run or an
// output is gone; the digests are kept under node_modules/.cache, so a new `npm ci` rebuilds everything once.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { nodeHeaders } from './host.mjs'
import { ROOT, run } from './run.mjs'

const STAMPS = join(ROOT, 'node_modules/.cache/emberscope')
const GENERATED = new Set(['.output', 'node_modules', 'out'])

/** Compiles both native targets; node-gyp takes the headers of the running Node and never downloads any. */
export function buildNative(title = 'compiling the native addon and the symbolizer') {
  const gyp = ['node', 'node_modules/node-gyp/bin/node-gyp.js', 'configure', 'build', '-j', 'max']
  run(title, [...gyp, `--nodedir=${nodeHeaders()}`])
}

function buildTypeScript() {
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true }) // a deleted test must not stay alive as its output
  run('compiling TypeScript and bundling the viewer', ['npm', 'run', '--silent', 'build:ts'])
}

// Whole stacks with names everywhere: clang, because gcc gives a leaf function no frame whatever the flags; static,
// because Debian's C library comes without symbols.
const DEMO_FLAGS =
  '-O1 -g -fno-omit-frame-pointer -fno-optimize-sibling-calls -static -pthread -Wall -Wextra -Werror'

function buildDemo() {
  mkdirSync(join(ROOT, 'build/demo'), { recursive: true })
  const places = ['test/demo/busy.c', '-o', 'build/demo/busy']
  run('compiling the demo program', ['clang-19', ...DEMO_FLAGS.split(' '), ...places])
}

function installDependencies() {
  // No package of ours needs its install script: esbuild's only swaps a shim for the binary beside it.
  run('npm ci', [
    'npm',
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
  ])
}

/** In order: each step may use the outputs of those before it. Paths are relative to the checkout. */
const STEPS = {
  npm: {
    inputs: ['package-lock.json'],
    outputs: ['node_modules/.package-lock.json'],
    build: installDependencies,
  },
  bpf: {
    inputs: ['bpf'],
    outputs: ['bpf/.output/profiler.skel.h'],
    build: () => run('compiling the BPF programs', ['sh', 'bpf/build.sh']),
  },
  native: {
    inputs: ['package-lock.json', 'binding.gyp', 'native', 'bpf', 'bpf/.output/profiler.skel.h'],
    outputs: ['build/Release/addon.node', 'build/Release/symbolizer'],
    build: () => buildNative(),
  },
  typescript: {
    inputs: ['package.json', 'package-lock.json', 'tsconfig.json', 'src', 'test'],
    outputs: ['dist/profile.cjs', 'dist/viewer.js', 'dist/viewer-worker.js', 'dist/viewer.css'],
    build: buildTypeScript,
  },
  demo: { inputs: ['test/demo', 'bin/setup'], outputs: ['build/demo/busy'], build: buildDemo },
}

function* filesBelow(path) {
  if (!statSync(join(ROOT, path)).isDirectory()) return yield path
  const entries = readdirSync(join(ROOT, path), { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )
  for (const entry of entries) {
    if (entry.isDirectory() && !GENERATED.has(entry.name)) yield* filesBelow(join(path, entry.name))
    else if (entry.isFile()) yield join(path, entry.name)
  }
}

/** Digest of names and contents of the inputs, and of the Node that runs. */
export function digestOf(inputs) {
  const hash = createHash('sha256').update(process.version)
  for (const input of inputs) {
    for (const file of filesBelow(input)) hash.update(`\0${file}\0`).update(readFileSync(join(ROOT, file)))
  }
  return hash.digest('hex')
}

/** Runs `build` unless it succeeded before on the same inputs and its outputs are still there. */
export function onceFor(name, { inputs, outputs = [], build }) {
  const stamp = join(STAMPS, name)
  const digest = digestOf(inputs)
  const isFresh = existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
  if (isFresh && outputs.every((output) => existsSync(join(ROOT, output)))) return
  build()
  mkdirSync(STAMPS, { recursive: true })
  writeFileSync(stamp, digest)
}

function npmCacheBytes() {
  const contents = join(process.env.npm_config_cache ?? join(homedir(), '.npm'), '_cacache/content-v2')
  if (!existsSync(contents)) return 0
  const entries = readdirSync(contents, { recursive: true, withFileTypes: true })
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.path, entry.name)).size : 0),
    0,
  )
}

/** Brings dependencies and build, or only the named steps, up to date. Returns the bytes npm downloaded: what its cache
 * grew by. */
export function bringUpToDate(names = Object.keys(STEPS)) {
  let downloaded = 0
  for (const name of names) {
    const step = STEPS[name]
    const build = () => {
      const before = name === 'npm' ? npmCacheBytes() : 0
      step.build()
      if (name === 'npm') downloaded = npmCacheBytes() - before
    }
    onceFor(name, { ...step, build })
  }
  return downloaded
}
