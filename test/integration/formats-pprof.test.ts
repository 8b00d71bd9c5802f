/**
 * pprof against Go's own reader and writer, on files made at test time. Skips with the reason where there is no go.
 * `go tool pprof -raw` prints every field of a profile, so two equal prints are the same content.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readProfileFile } from '../../src/formats/read-any.ts'
import { decodePprof } from '../../src/pprof/decode.ts'
import { encodePprof } from '../../src/pprof/encode.ts'
import { capturedProfile } from '../unit/formats/sample-profile.ts'

const GO = ['go', '/usr/local/go/bin/go'].find((path) => spawnSync(path, ['version']).status === 0)
const skip = GO ? false : 'no go toolchain on this machine'
const directory = mkdtempSync(join(tmpdir(), 'emberscope-pprof-'))
after(() => rmSync(directory, { recursive: true }))

const MAIN = resolve('test/fixtures/pprof-go/main.go')

/** Runs `go tool pprof`; PPROF_TMPDIR keeps its copies out of the home directory. */
function pprof(...args: string[]): { stdout: string; stderr: string } {
  const env = { ...process.env, PPROF_TMPDIR: directory, HOME: directory }
  const { stdout, stderr, status } = spawnSync(GO!, ['tool', 'pprof', ...args], {
    env,
    encoding: 'utf8',
    maxBuffer: 1e9,
  })
  assert.equal(status, 0, stderr)
  return { stdout, stderr }
}

const raw = (path: string) => pprof('-raw', path).stdout

before(() => {
  if (!GO) return
  const { status, stderr } = spawnSync(GO, ['run', MAIN, directory], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  // The same profile through google/pprof's own encoder, and merged with itself.
  for (const name of ['cpu', 'heap']) {
    const source = join(directory, `go-${name}.pb.gz`)
    pprof('-proto', '-output', join(directory, `proto-${name}.pb.gz`), source)
    pprof('-proto', '-output', join(directory, `merged-${name}.pb.gz`), source, source)
  }
})

const FILES = ['go-cpu', 'go-heap', 'go-goroutine', 'proto-cpu', 'proto-heap', 'merged-cpu', 'merged-heap']

for (const name of FILES) {
  test(`${name}: go prints the same before and after our round trip`, { skip }, () => {
    const source = join(directory, `${name}.pb.gz`)
    const profile = decodePprof(gunzipSync(readFileSync(source)))
    const bytes = encodePprof(profile)
    assert.deepEqual(decodePprof(bytes), profile)
    const copy = join(directory, `${name}.ours.pb.gz`)
    writeFileSync(copy, gzipSync(bytes))
    assert.equal(raw(copy), raw(source))
    assert.ok(profile.samples.stack.length > 0)
  })
}

test('labels of a Go program arrive: text, and numbers with their values', { skip }, async () => {
  const cpu = await readProfileFile(join(directory, 'go-cpu.pb.gz'))
  const requests = new Set(cpu.labelSets.flat().map(({ key, str }) => `${key}=${str}`))
  assert.deepEqual([...requests].filter((label) => label.startsWith('request=')).toSorted(), [
    'request=checkout',
    'request=search',
  ])
  const heap = await readProfileFile(join(directory, 'go-heap.pb.gz'))
  assert.ok(
    heap.labelSets.flat().some(({ key, num }) => key === 'bytes' && typeof num === 'number' && num >= 1000),
  )
  assert.equal(heap.sampleTypes[heap.defaultSampleType]?.type, 'inuse_space')
})

test('go opens a profile of ours without a word on stderr but where it reads it from', { skip }, () => {
  const path = join(directory, 'captured.pb.gz')
  writeFileSync(path, gzipSync(encodePprof(capturedProfile())))
  const top = pprof('-top', path)
  assert.equal(top.stderr, '')
  assert.match(top.stdout, /^File: demo$/m)
  assert.match(top.stdout, /^Type: cpu$/m)
  assert.match(top.stdout, /20\.20ms 28\.57% .* 30\.30ms 42\.86% {2}inlined \(inline\)$/m)
  const printed = pprof('-raw', path)
  assert.equal(printed.stderr, '')
  assert.match(printed.stdout, /^samples\/count cpu\/nanoseconds\[dflt\]$/m)
  assert.match(printed.stdout, /Comment: ?host: box|host: box/)
})

test('10 MB that unpack to 10 GB are refused before they fill anything', async () => {
  const path = join(directory, 'bomb.pb.gz')
  // Gzip members end to end are one file; each of these holds 64 MiB of one line.
  const member = gzipSync(Buffer.alloc(64 * 1024 ** 2, 'main;a;b 1\n'), { level: 9 })
  writeFileSync(path, Buffer.concat(Array(Math.ceil(1e7 / member.length)).fill(member)))
  const start = process.memoryUsage().rss
  await assert.rejects(readProfileFile(path), /our limit \(inflate(Ratio|dBytes)\)$/)
  const grown = process.memoryUsage().rss - start
  assert.ok(grown < 300e6, `resident memory grew by ${grown} bytes`)
})

test('folded text of 200 MB costs its distinct stacks, not its length', async () => {
  const path = join(directory, 'big.folded')
  const lines: string[] = []
  for (let stack = 0; stack < 20_000; stack++) {
    const frames = Array.from(
      { length: 30 },
      (_, depth) => `function_${(stack >> (depth % 12)) % 500}_${depth}`,
    )
    lines.push(`${frames.join(';')} ${(stack % 9) + 1}\n`)
  }
  const block = lines.join('')
  const repeats = Math.ceil(2e8 / block.length)
  writeFileSync(path, '')
  for (let at = 0; at < repeats; at++) writeFileSync(path, block, { flag: 'a' })
  const start = process.memoryUsage().rss
  const profile = await readProfileFile(path)
  const grown = process.memoryUsage().rss - start
  const expected = lines.reduce((sum, _, stack) => sum + (stack % 9) + 1, 0) * repeats
  assert.equal(
    profile.samples.values[0]!.reduce((sum, value) => sum + value),
    expected,
  )
  assert.ok(grown < 250e6, `resident memory grew by ${grown} bytes`)
})
