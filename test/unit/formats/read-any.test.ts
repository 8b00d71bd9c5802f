import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { AgentError } from '../../../src/errors.ts'
import { writeFolded } from '../../../src/formats/folded.ts'
import { writeHtml } from '../../../src/formats/html.ts'
import { writeProfileJson } from '../../../src/formats/profile-json.ts'
import { readProfileFile } from '../../../src/formats/read-any.ts'
import type { ReadOptions } from '../../../src/formats/read-profile.ts'
import { encodePprof } from '../../../src/pprof/encode.ts'
import { capturedProfile } from './sample-profile.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-read-'))
after(() => rmSync(directory, { recursive: true }))

const PROFILE = capturedProfile()
const FOLDED = [...writeFolded(PROFILE)].join('')
const PPROF = encodePprof(PROFILE)

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

/** The folded form of a file: the same for every format that keeps stacks. */
async function stacksOf(name: string, content: string | Uint8Array): Promise<string> {
  return [...writeFolded(await readProfileFile(file(name, content)))].join('')
}

async function failure(path: string, options: ReadOptions = {}): Promise<string> {
  try {
    await readProfileFile(path, options)
  } catch (error) {
    assert.ok(error instanceof AgentError && error.code === 'input_invalid', String(error))
    assert.ok(error.message.startsWith(`cannot read ${path}: `), error.message)
    return error.message.slice(`cannot read ${path}: `.length)
  }
  return 'no error'
}

test('knows a file by its content, whatever it is called', async () => {
  const hash = 'AAAA'
  const assets = { script: '', worker: '', style: '', notices: '', scriptHash: hash, styleHash: hash }
  const contents = {
    pprof: PPROF,
    folded: FOLDED,
    json: [...writeProfileJson(PROFILE)].join(''),
    html: writeHtml(PROFILE, assets, (bytes) => gzipSync(bytes)),
  }
  for (const [format, content] of Object.entries(contents)) {
    assert.equal(await stacksOf('wrong.name', content), FOLDED, format)
    assert.equal(await stacksOf('wrong.pb.gz', gzipSync(content)), FOLDED, `${format}, packed`)
  }
})

test('reads packed text across the borders of chunks', async () => {
  const lines = Array.from(
    { length: 60_000 },
    (_, line) => `main;é${line % 1000};${'x'.repeat(line % 40)} 1\n`,
  )
  const profile = await readProfileFile(file('long.folded.gz', gzipSync(lines.join(''))))
  assert.equal(
    profile.samples.values[0]!.reduce((sum, value) => sum + value),
    60_000,
  )
  assert.equal(
    profile.functions.some(({ name }) => name.includes('\ufffd')),
    false,
  )
})

test('names the reason and the way out', async () => {
  assert.equal(await failure(join(directory, 'none')), 'there is no such file')
  assert.equal(await failure(directory), 'it is a directory; name a file in it')
  assert.equal(await failure('/dev/zero'), 'it is a device or a socket; name a file')
  assert.equal(await failure(file('empty', '')), 'it is empty')
  assert.equal(await failure(file('empty.gz', gzipSync(''))), 'it is empty')
  assert.match(await failure(file('perf.data', 'PERFILE2\0\0')), /^it is perf's own data; /)
  assert.match(await failure(file('a.out', '\x7fELF\x02\x01\0')), /^it is a program or library; /)
  assert.match(await failure(file('noise', Uint8Array.of(0, 1, 2, 3))), /^its first bytes are of no format/)
  assert.match(await failure(file('prose.txt', 'Dear reader,\nhello\n')), /^not folded stacks at line 1/)
  assert.match(await failure(file('x.json', '{"a":1}')), /^not a profile of ours: it has no "schema"/)
  assert.match(await failure(file('page.html', '<!doctype html><p>hello')), /^not a page of Emberscope/)
  assert.match(
    await failure(file('twice.gz', gzipSync(gzipSync(FOLDED)))),
    /^it is gzip data inside gzip data/,
  )
})

test('a packed file cut anywhere, or with a flipped byte, is an error of ours', async () => {
  const packed = gzipSync(PPROF)
  for (let length = 0; length < packed.length; length += 7) {
    assert.notEqual(await failure(file('cut.pb.gz', packed.subarray(0, length))), 'no error')
  }
  assert.equal(
    await failure(file('cut.pb.gz', packed.subarray(0, -20))),
    'its gzip data ends too early; it was cut short',
  )
  for (let at = 12; at < packed.length; at += 11) {
    const flipped = Uint8Array.from(packed)
    flipped[at]! ^= 0x55
    assert.notEqual(await failure(file('flip.pb.gz', flipped)), 'no error')
  }
})

test('each limit is named when it is passed', async () => {
  const bomb = file('bomb.gz', gzipSync(Buffer.alloc(3_000_000, 'a;b 1\n')))
  const limits = { inflateRatioFrom: 1_000_000, inflateRatio: 100 }
  assert.equal(
    await failure(bomb, { limits }),
    'it unpacks to more than 100 times its size, our limit (inflateRatio)',
  )
  assert.equal(
    await failure(bomb, { limits: { inflatedBytes: 2_000_000 } }),
    'it unpacks to more than 2000000 bytes, our limit (inflatedBytes)',
  )
  assert.equal(await failure(bomb), 'no error')
  const small = { limits: { pprofBytes: 100, jsonBytes: 100 } }
  assert.equal(
    await failure(file('big.pb', PPROF), small),
    'it has more than 100 bytes, our limit (pprofBytes)',
  )
  const json = file('big.json', [...writeProfileJson(PROFILE)].join(''))
  assert.equal(await failure(json, small), 'it has more than 100 bytes, our limit (jsonBytes)')
  const objects = await failure(json, { limits: { jsonObjects: 3 } })
  assert.equal(objects, 'it holds more than 3 objects and arrays, our limit (jsonObjects)')
})

test('a file of 2 GB is refused in a moment, whatever it begins like', async () => {
  const heads: Record<string, string | Uint8Array> = {
    nothing: '',
    folded: 'main;a 1\n',
    perf: 'node 1 1.0: 5 cycles: \n\t401000 main (/bin/a)\n\n',
    json: '{"schema":"emberscope.profile/1",',
    html: '<!doctype html>',
    pprof: PPROF,
  }
  for (const [name, head] of Object.entries(heads)) {
    const path = file(`sparse-${name}`, head)
    truncateSync(path, 2 * 1024 ** 3)
    const before = process.memoryUsage().rss
    assert.match(await failure(path), /our limit|of no format that we read|which is our limit/, name)
    assert.ok(process.memoryUsage().rss - before < 300e6, name)
    unlinkSync(path)
  }
})
