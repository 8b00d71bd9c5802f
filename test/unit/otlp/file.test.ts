import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { gzipSync } from 'node:zlib'
import { encodeProfile } from '../../../src/cli/encode.ts'
import { readProfileFile } from '../../../src/formats/read-any.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { decodeRequest } from '../../../src/otlp/decode.ts'
import { encodeProfilesData, encodeRequests } from '../../../src/otlp/encode.ts'
import { looksLikeOtlp, readOtlpFile, readOtlpJson } from '../../../src/otlp/file.ts'
import { toJson } from '../../../src/otlp/json.ts'
import { decodePprof } from '../../../src/pprof/decode.ts'
import { encodePprof } from '../../../src/pprof/encode.ts'
import { capturedProfile } from '../formats/sample-profile.ts'
import { bytes, dictionary, field, profile, request, SAMPLE, TABLES } from './messages.ts'
import { rowTexts, SCOPE, sumTexts } from './profiles.ts'

function framed(...messages: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(message.length)
      return [length, message]
    }),
  )
}

const scratch = mkdtempSync(join(tmpdir(), 'otlp-file-'))
after(() => rmSync(scratch, { recursive: true }))

async function readBack(name: string, contents: string | Uint8Array): Promise<Profile> {
  const path = join(scratch, name)
  writeFileSync(path, contents)
  return readProfileFile(path)
}

describe('files of OTLP profiles', () => {
  it('are told from pprof by their first bytes, framed or bare, dictionary first or last', () => {
    const dictionaryFirst = bytes(field(2, dictionary()), [...request()])
    for (const message of [request(), dictionaryFirst, encodeProfilesData(capturedProfile(), SCOPE)]) {
      assert.ok(looksLikeOtlp(message))
      assert.ok(looksLikeOtlp(framed(message)))
    }
    const stackFirst = bytes(field(2, [0x3a, 0x00, 0x3a, 0x00]))
    assert.ok(looksLikeOtlp(framed(stackFirst)))
    assert.ok(!looksLikeOtlp(encodePprof(capturedProfile())))
    // A pprof file that begins with a sample.
    assert.ok(!looksLikeOtlp(bytes(field(2, [...field(1, [1]), ...field(2, [1])]))))
    assert.ok(!looksLikeOtlp(Uint8Array.of(0, 0, 0)))
    assert.ok(!looksLikeOtlp(new Uint8Array()))
  })

  it('open under any name, gzipped too', async () => {
    const original = capturedProfile()
    const data = encodeProfilesData(original, SCOPE)
    const json = toJson(decodeRequest(data))
    for (const [name, contents] of [
      ['a.otlp', data],
      ['b', framed(data)],
      ['c.gz', gzipSync(data)],
      ['d.otlp.json', json],
      ['e.json', `${json}\n`],
    ] as const) {
      assert.deepEqual(rowTexts(await readBack(name, contents)), rowTexts(original), name)
    }
  })

  it('are written by extension', async () => {
    const original = capturedProfile()
    const [binary] = [...(await encodeProfile(original, 'otlp', ''))]
    assert.deepEqual(rowTexts(readOtlpFile(binary as Uint8Array)), rowTexts(original))
    const text = [...(await encodeProfile(original, 'otlp_json', ''))].join('')
    assert.deepEqual(rowTexts(readOtlpJson(text)), rowTexts(original))
  })

  it('P-60, P-61: a pprof file comes back from OTLP as it went', async () => {
    const pprof = decodePprof(encodePprof(capturedProfile()))
    const again = readOtlpFile(encodeProfilesData(pprof, SCOPE))
    assert.deepEqual(sumTexts(decodePprof(encodePprof(again))), sumTexts(pprof))
    for (const key of ['sampleTypes', 'periodType', 'period', 'timeNs', 'durationNs'] as const) {
      assert.deepEqual(again[key], pprof[key], key)
    }
    // Mappings that no sample is in stay behind: a dictionary has no orphans (P-04).
    assert.ok(again.mappings.length > 0)
    for (const mapping of again.mappings) {
      assert.ok(pprof.mappings.some((other) => isDeepStrictEqual(other, mapping)))
    }
  })

  it('of many resources and messages become one profile, with the resource in the labels', () => {
    const window = capturedProfile()
    const split = {
      resources: [
        { 'service.name': 'cart', 'host.name': 'n' },
        { 'service.name': 'web', 'host.name': 'n' },
      ],
      ofLabelSet: Int32Array.from(window.labelSets, (_, i) => i % 2),
    }
    const parts = encodeRequests(
      { ...window, origins: { processes: [], ofLabelSet: split.ofLabelSet } },
      split,
      SCOPE,
      1 << 20,
    )
    const messages = parts.map((part) => part.bytes)
    const merged = readOtlpFile(framed(...messages, ...messages))
    assert.equal(merged.samples.stack.length, 2 * window.samples.stack.length)
    const services = new Set(
      merged.labelSets
        .flat()
        .filter(({ key }) => key === 'service.name')
        .map(({ str }) => str),
    )
    assert.deepEqual(services, new Set(['cart', 'web']))
    assert.ok(!merged.labelSets.flat().some(({ key }) => key === 'host.name'))
    const lines = messages.map((message) => toJson(decodeRequest(message)))
    assert.equal(
      readOtlpJson([...lines, ...lines].join('\n')).samples.stack.length,
      merged.samples.stack.length,
    )
  })

  it('P-18: of several kinds of profiles the first is shown, and the others are told', () => {
    const offCpu = [
      ...field(1, [...field(1, 7), ...field(2, 8)]),
      ...field(2, [...field(1, 1), ...field(4, 5)]),
    ]
    const strings = [...TABLES.strings, 'off_cpu', 'nanoseconds']
    const shown = readOtlpFile(request([profile([SAMPLE]), offCpu], { strings }))
    assert.deepEqual(shown.sampleTypes, [{ type: 'samples', unit: 'count' }])
    assert.deepEqual(shown.comments, ['not shown: 1 profiles of off_cpu/nanoseconds in this file'])
  })

  it('that are cut short, empty or of an older proto end in a sentence', async () => {
    const message = request()
    const cases: readonly (readonly [Uint8Array, RegExp])[] = [
      [
        framed(message).subarray(0, 50),
        /cannot read .*: the OTLP profile is damaged at byte 0: a message of \d+ bytes/,
      ],
      [Buffer.concat([framed(message), Buffer.of(0, 0)]), /the length of a message is cut short/],
      [message.subarray(0, message.length - 3), /the OTLP profile is damaged at byte/],
      [bytes(field(1, field(2, []))), /it holds no profiles/],
      [request([profile([SAMPLE], field(8, new Array(16).fill(7)))]), /of proto 1\.9 or older/],
    ]
    await assert.rejects(readBack('zeros.otlp', Buffer.concat([framed(request()), Buffer.alloc(1 << 20)])), {
      message: /too many messages, our limit is 65536/,
    })
    for (const [contents, message] of cases) await assert.rejects(readBack('bad.otlp', contents), message)
  })
})
