/** Our unwind rows against readelf's, at every row of some large and some arbitrary files of this machine. The whole
 * disk: `npm run verify:cfi`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { packageRoot } from '../../src/native/addon.ts'
import { findTool } from '../helpers/host.ts'

const SCRIPT = join(packageRoot(), 'test/verify/cfi.sh')
const LIBRARIES = '/lib/x86_64-linux-gnu'
/** One file for each thing that is hard: assembly, C++, the loader, expressions that load, tables of 76 000 functions. */
const HARD = [
  realpathSync(process.execPath),
  ...['libc.so.6', 'ld-linux-x86-64.so.2', 'libcrypto.so.3', 'libstdc++.so.6'].map((name) =>
    join(LIBRARIES, name),
  ),
].filter((path) => existsSync(path))

const missing = ['g++', 'readelf'].filter((tool) => findTool(tool) === '')
const skip =
  process.arch !== 'x64'
    ? `readelf's names of registers are read for x86-64 only, this is ${process.arch}`
    : missing.length > 0 && `needs ${missing.join(', ')}`

function compare(...args: string[]) {
  const { status, stdout, stderr } = spawnSync('sh', [SCRIPT, ...args], { encoding: 'utf8' })
  const [, files, rows] = stdout.match(/(\d+) files, \d+ functions, (\d+) rows compared, 0 unexplained/) ?? []
  return { status, files: Number(files), rows: Number(rows), output: stdout + stderr }
}

test('rows of hard files equal those of readelf', { skip }, () => {
  const { status, files, rows, output } = compare(...HARD)
  assert.equal(status, 0, output)
  assert.equal(files, HARD.length, output)
  assert.ok(rows > 10_000, output)
})

test('rows of a sample of this disk equal those of readelf', { skip }, () => {
  const seed = 20261124
  const { status, files, output } = compare('--sample', '40', '--seed', String(seed))
  assert.equal(status, 0, `seed ${seed}\n${output}`)
  assert.ok(files > 0, output)
})
