/** Our unwind rows against readelf's, at every row of some large and some arbitrary files of this machine. The whole
 * disk: `npm run verify:cfi`. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
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

async function compare(...args: string[]) {
  const { stdout, stderr } = await promisify(execFile)('sh', [SCRIPT, ...args], { maxBuffer: 1 << 26 })
  const [, files, rows] = stdout.match(/(\d+) files, \d+ functions, (\d+) rows compared, 0 unexplained/) ?? []
  return { files: Number(files), rows: Number(rows), output: stdout + stderr }
}

// Side by side: each is a minute of one CPU.
describe('our rows equal those of readelf', { skip, concurrency: true }, () => {
  it('in hard files', async () => {
    const { files, rows, output } = await compare(...HARD)
    assert.equal(files, HARD.length, output)
    assert.ok(rows > 10_000, output)
  })

  it('in a sample of this disk', async () => {
    const seed = 20261124
    const { files, output } = await compare('--sample', '40', '--seed', String(seed))
    assert.ok(files > 0, `seed ${seed}\n${output}`)
  })
})
