/**
 * The npm package: what the tarball holds, and that it installs and runs where there is no compiler and none of our
 * shared libraries. Packs for real (about a minute: the release addon is compiled from scratch).
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { packageRoot } from '../../src/native/addon.ts'

const PLATFORM = `linux-${process.arch}`
const LIBRARIES = ['libbpf.so.1', 'libelf.so.1', 'liblzma.so.5', 'libz.so.1']
const directory = mkdtempSync(join(tmpdir(), 'emberscope-package-'))
const prefix = join(directory, 'prefix')
const installed = join(prefix, 'lib/node_modules/emberscope')
let files: string[] = []

function npm(args: string[], env: NodeJS.ProcessEnv = process.env): string {
  const options = { cwd: packageRoot(), env, maxBuffer: 1 << 26 }
  return execFileSync('npm', args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
}

/** A PATH on which only Node and npm are, as on a machine without a compiler. */
function barePath(): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  const tools = execFileSync('sh', ['-c', 'command -v node; command -v npm; command -v sh'])
    .toString()
    .split('\n')
  for (const tool of tools.filter(Boolean)) symlinkSync(realpathSync(tool), join(bin, tool.split('/').pop()!))
  return bin
}

before(() => {
  const report = npm(['pack', '--json', '--silent', '--pack-destination', directory])
  const [packed] = JSON.parse(report.slice(report.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ]
  files = packed.files.map(({ path }) => path)
  const env = { ...process.env, PATH: barePath() }
  npm(['install', '--global', '--prefix', prefix, '--silent', join(directory, packed.filename)], env)
})

after(() => rmSync(directory, { recursive: true, force: true }))

test('the tarball holds the command, the page, the prebuilt files and the licences', () => {
  const wanted = [
    'bin/profile',
    'dist/profile.cjs',
    'dist/profile.cjs.code',
    'dist/packages/yaml.cjs',
    'dist/packages/notices.txt',
    'dist/viewer.js',
    'dist/viewer-worker.js',
    'dist/viewer.css',
    'dist/notices.txt',
  ]
  const native = [
    'addon.glibc.node',
    'symbolizer',
    'licenses/LGPL-3.txt',
    'licenses/libelf1.txt',
    ...LIBRARIES,
  ]
  const papers = ['LICENSE', 'README.md', 'THIRD_PARTY_NOTICES', 'src/cli/man/profile.1']
  const expected = [...wanted, ...papers, ...native.map((name) => `prebuilds/${PLATFORM}/${name}`)]
  assert.deepEqual(
    expected.filter((path) => !files.includes(path)),
    [],
  )
})

test('the tarball holds neither sources nor tests, and installing runs no script', () => {
  assert.deepEqual(
    files.filter((path) => /\.(ts|cc|c|h|gyp|mjs)$|^(test|native|bpf|node_modules)\//.test(path)),
    [],
  )
  const { scripts } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
    assert.equal(scripts[name], undefined)
})

test('the installed addon loads the libraries beside it', () => {
  const addon = join(installed, 'prebuilds', PLATFORM, 'addon.glibc.node')
  const script = `require(${JSON.stringify(addon)}); console.log(require('fs').readFileSync('/proc/self/maps', 'utf8'))`
  const maps = execFileSync(process.execPath, ['-e', script]).toString()
  const beside = realpathSync(dirname(addon))
  for (const library of LIBRARIES) assert.ok(maps.includes(join(beside, library)), `${library} is not ours`)
})

test('the installed command profiles a process', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async () => {
  const target = spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(2)'], { stdio: 'ignore' })
  const output = join(directory, 'out.html')
  try {
    const command = join(prefix, 'bin/profile')
    const args = [String(target.pid), '-d', '1', '-o', output, '--json']
    const report = JSON.parse(
      execFileSync(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] }).toString(),
    )
    assert.ok(report.samples.kept > 0, `${report.samples.kept} samples kept`)
    assert.ok(existsSync(output))
  } finally {
    target.kill()
  }
})
