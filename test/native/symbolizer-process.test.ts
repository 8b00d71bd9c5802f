import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { LinesAnswer } from '../../src/symbolize/answer.ts'
import { demangle } from '../../src/symbolize/demangle-client.ts'
import { findLines } from '../../src/symbolize/line-client.ts'
import { startSymbolizer } from '../../src/symbolize/symbolizer-process.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-symbolizer-'))
after(() => rmSync(directory, { recursive: true }))

/** A stand-in for the executable: `body` runs with `input`, all that came on stdin so far, at each piece of it. */
function standIn(name: string, body: string): string {
  const path = join(directory, `${name}.cjs`)
  const head = `#!${process.execPath}\nlet input = ''\nprocess.stdin.on('data', (piece) => { input += piece\n`
  writeFileSync(path, `${head}${body}\n})\n`)
  chmodSync(path, 0o755)
  return path
}

const request = { objectFd: -1, debugFd: -1, alternateFd: -1, addresses: [0x10, 0x20] }

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('asks for lines and gives the rows of an honest answer', async () => {
  const path = standIn(
    'honest',
    `if (input === 'lines -1 -1 -1 2\\n10\\n20\\n') process.stdout.write('s f\\na 1 0 -1 7 0 5\\ndone\\n')`,
  )
  const result = await findLines(path, request, 10_000)
  assert.equal(result.failure, '')
  assert.deepEqual(result.rows, [undefined, [{ name: 'f', file: '', line: 7, column: 0, startLine: 5 }]])
})

test('keeps the rows of a process that dies in the middle', async () => {
  const path = standIn(
    'dies',
    `process.stdout.write('s f\\na 0 0 -1 7 0 5\\n', () => process.kill(process.pid, 'SIGSEGV'))`,
  )
  const result = await findLines(path, request, 10_000)
  assert.match(result.failure, /died/)
  assert.equal(result.rows[0]?.[0]?.name, 'f')
})

test('gives up on a process that hangs, and leaves none behind', async () => {
  const hung = startSymbolizer(standIn('hangs', 'setInterval(() => {}, 1000)'), [])
  assert.ok(hung?.pid)
  assert.equal(await hung.ask('lines -1 -1 -1 0\n', new LinesAnswer(0), 300), 'timed_out')
  await hung.close()
  assert.equal(isAlive(hung.pid), false)
  assert.equal(await hung.ask('lines -1 -1 -1 0\n', new LinesAnswer(0), 300), 'timed_out')
})

test('refuses a line without an end and an answer without an end', async () => {
  const endless = standIn('endless-line', `process.stdout.write('s ' + 'x'.repeat(200000))`)
  assert.match((await findLines(endless, request, 10_000)).failure, /no sense/)
  const flood = standIn(
    'flood',
    `const line = 's ' + 'x'.repeat(60000) + '\\n'
    const pour = () => { while (process.stdout.write(line)) {} process.stdout.once('drain', pour) }
    pour()`,
  )
  assert.match((await findLines(flood, request, 30_000)).failure, /no sense/)
})

test('refuses rows nobody asked for', async () => {
  const path = standIn('liar', `process.stdout.write('a 2\\n')`)
  const result = await findLines(path, request, 10_000)
  assert.match(result.failure, /no sense/)
  assert.deepEqual(result.rows, [undefined, undefined])
})

test('says so when there is no executable, or one that may not confine itself', async () => {
  assert.match((await findLines(join(directory, 'nowhere'), request, 10_000)).failure, /missing/)
  const open = standIn('unconfined', 'process.exit(1)')
  assert.match((await findLines(open, request, 10_000)).failure, /give up its rights/)
  const big = standIn('big', 'process.exit(3)')
  assert.match((await findLines(big, request, 10_000)).failure, /memory/)
})

test('reads names and asks only for those that look mangled', async () => {
  const path = standIn(
    'reader',
    `const lines = input.split('\\n'); const count = Number(lines[0].split(' ')[1])
    if (lines.length === count + 2) {
      process.stdout.write(lines.slice(1, -1).map((name) => 'd <' + name + '>\\n').join('') + 'done\\n')
      input = ''
    }`,
  )
  const result = await demangle(
    path,
    ['main', '_Z1fv', 'f.cold', '_Z1fv', '_RNv', '__cxa_throw', '_Z\n'],
    10_000,
  )
  assert.equal(result.failure, '')
  assert.deepEqual(
    [...result.readable],
    [
      ['_Z1fv', '<_Z1fv>'],
      ['f.cold', '<f.cold>'],
      ['_RNv', '<_RNv>'],
    ],
  )
})

test('loses one name to a demangler that dies of it, not its neighbours', async () => {
  const path = standIn(
    'fragile',
    `if (input.includes('_Zbad')) process.exit(9)
    const lines = input.split('\\n'); const count = Number(lines[0].split(' ')[1])
    if (lines.length === count + 2) { process.stdout.write('d ok\\n'.repeat(count) + 'done\\n'); input = '' }`,
  )
  const result = await demangle(path, ['_Z1a', '_Zbad', '_Z1b'], 20_000)
  assert.deepEqual([...result.readable.keys()], ['_Z1a', '_Z1b'])
  assert.equal(result.unread, 1)
})

test('stops after a few lost processes', async () => {
  const path = standIn('always-dies', 'process.exit(9)')
  const names = Array.from({ length: 40 }, (_, i) => `_Z${i}`)
  const result = await demangle(path, names, 60_000)
  assert.equal(result.readable.size, 0)
  assert.equal(result.unread, 40)
})
