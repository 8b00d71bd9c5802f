import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { packageRoot } from '../../../src/native/addon.ts'

const root = mkdtempSync(join(tmpdir(), 'emberscope-code-'))
after(() => rmSync(root, { recursive: true }))
const code = join(root, 'dist/profile.cjs.code')

for (const folder of ['bin', 'dist']) mkdirSync(join(root, folder))
for (const file of [
  'bin/profile',
  'bin/package.json',
  'dist/profile.cjs',
  'dist/profile.cjs.code',
  'package.json',
])
  copyFileSync(join(packageRoot(), file), join(root, file))

const version = () =>
  execFileSync(process.execPath, [join(root, 'bin/profile'), '--version'], { encoding: 'utf8' })
const expected = `profile ${JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')).version}\n`

it('runs from compiled code, and without it when it is of another V8, cut off or not there', () => {
  assert.equal(version(), expected)
  const whole = readFileSync(code)
  const other = Buffer.from(whole)
  other[4]! ^= 0xff // the hash of V8's version
  for (const bytes of [other, whole.subarray(0, 100), Buffer.alloc(0), Buffer.from('no code')]) {
    writeFileSync(code, bytes)
    assert.equal(version(), expected)
  }
  rmSync(code)
  assert.equal(version(), expected)
})

it('does not run old code for a new program', () => {
  copyFileSync(join(packageRoot(), 'dist/profile.cjs.code'), code)
  writeFileSync(join(root, 'dist/profile.cjs'), 'process.stdout.write("another\\n")\n')
  assert.equal(version(), 'another\n')
})
