import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { writeFolded } from '../../../src/formats/folded.ts'
import { writeHtml } from '../../../src/formats/html.ts'
import { writeProfileJson } from '../../../src/formats/profile-json.ts'
import { readProfileFile } from '../../../src/formats/read-any.ts'
import { readBlob } from '../../../src/formats/read-blob.ts'
import type { ReadOptions } from '../../../src/formats/read-profile.ts'
import { writeSpeedscope } from '../../../src/formats/speedscope.ts'
import { encodeProfilesData } from '../../../src/otlp/encode.ts'
import { encodePprof } from '../../../src/pprof/encode.ts'
import { capturedProfile } from './sample-profile.ts'

const directory = mkdtempSync(join(tmpdir(), 'emberscope-blob-'))
after(() => rmSync(directory, { recursive: true }))

const PROFILE = capturedProfile()
const ASSETS = { script: '', worker: '', style: '', notices: '', scriptHash: 'A', styleHash: 'A' }
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  pprof: encodePprof(PROFILE),
  otlp: encodeProfilesData(PROFILE, { name: 'test', version: '1' }),
  folded: [...writeFolded(PROFILE)].join(''),
  json: [...writeProfileJson(PROFILE)].join(''),
  html: writeHtml(PROFILE, ASSETS, (bytes) => gzipSync(bytes)),
  speedscope: [...writeSpeedscope(PROFILE)].join(''),
  cpuprofile: JSON.stringify({
    nodes: [{ id: 1, callFrame: { functionName: 'f' }, hitCount: 1 }],
    startTime: 0,
  }),
  perf: 'node 1 1.0: 5 cycles: \n\t401000 main (/bin/a)\n\n',
}

const outcome = (reading: Promise<unknown>) => reading.catch((error: Error) => error.message)

/** What becomes of the bytes in the browser and as a file: one and the same. */
async function same(content: string | Uint8Array, options: ReadOptions = {}) {
  const path = join(directory, 'x')
  writeFileSync(path, content)
  const blob = await outcome(readBlob(new Blob([content as Uint8Array<ArrayBuffer>]), path, options))
  assert.deepEqual(blob, await outcome(readProfileFile(path, options)))
  return blob
}

for (const [format, content] of Object.entries(FILES)) {
  test(`${format}: a dropped file is read as one on the disk, packed or not`, async () => {
    const plain = await same(content)
    assert.equal(typeof plain, 'object', String(plain))
    assert.deepEqual(await same(gzipSync(content)), plain)
  })
  test(`${format}: cut anywhere or with a flipped bit, it is a profile or one sentence`, async () => {
    const bytes = Buffer.from(content)
    const step = Math.max(1, Math.floor(bytes.length / 60))
    for (let at = 0; at < bytes.length; at += step) {
      const flipped = Uint8Array.from(bytes)
      flipped[at]! ^= 1 << (at % 8)
      for (const broken of [bytes.subarray(0, at), flipped]) {
        const result = await same(broken)
        if (typeof result === 'string') assert.match(result, /^cannot read [^\n]+: [^\n]+$/)
      }
    }
  })
}

test('packed data that is cut or damaged gives the same sentence on both sides', async () => {
  const packed = gzipSync(FILES.folded!)
  const path = `cannot read ${join(directory, 'x')}: `
  assert.equal(await same(packed.subarray(0, -10)), `${path}its gzip data ends too early; it was cut short`)
  assert.equal(
    await same(Buffer.concat([packed.subarray(0, 10), Buffer.alloc(40, 0x66)])),
    `${path}its gzip data is damaged`,
  )
})

test('bombs end at the same limits', async () => {
  const bomb = gzipSync(Buffer.alloc(3_000_000, 'a;b 1\n'))
  const limits = { inflateRatioFrom: 1_000_000, inflateRatio: 100 }
  assert.match(String(await same(bomb, { limits })), /unpacks to more than 100 times its size/)
  assert.match(String(await same(bomb, { limits: { inflatedBytes: 2e6 } })), /more than 2000000 bytes/)
})

test('a fault of the file itself is not taken for one of its data', async () => {
  const failing = {
    size: 1,
    stream: () => new ReadableStream({ pull: () => Promise.reject(new Error('gone')) }),
  } as unknown as Blob
  await assert.rejects(readBlob(failing, 'x'), /^Error: gone$/)
  let sent = 0
  const later = {
    size: 1,
    stream: () =>
      new ReadableStream({
        pull(controller) {
          if (sent++ > 0) throw new Error('gone')
          controller.enqueue(gzipSync(Buffer.alloc(1e6, 'x')).subarray(0, 4096 + 10))
        },
      }),
  } as unknown as Blob
  await assert.rejects(readBlob(later, 'x'), /^Error: gone$/)
})
