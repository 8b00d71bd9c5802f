/** The two formats that are only written: SVG and CSV. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { writeCsv } from '../../../src/formats/csv.ts'
import { writeSvg } from '../../../src/formats/svg.ts'
import { hexOfOklch } from '../../../src/formats/svg-colour.ts'
import { anyProfile } from '../../helpers/any-profile.ts'
import { largeProfile, profileOf } from '../../helpers/sample-profile.ts'
import { CAPTURE, capturedProfile } from './sample-profile.ts'

const svg = (profile: Parameters<typeof writeSvg>[0]) => [...writeSvg(profile)].join('')
const csv = (profile: Parameters<typeof writeCsv>[0]) => [...writeCsv(profile)].join('')

/** Fails unless the text is one well-formed element; no entities but numeric ones are written. */
function assertWellFormed(xml: string): void {
  const open: string[] = []
  const rest = xml.replace(
    /<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)\s*(\/?)>/gi,
    (_, closing, name, __, empty) => {
      if (closing) assert.equal(open.pop(), name)
      else if (!empty) open.push(name)
      return ''
    },
  )
  assert.deepEqual(open, [])
  assert.doesNotMatch(rest, /[<>]/)
  assert.doesNotMatch(xml, /&(?!#\d+;)|[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/)
}

test('the picture is 1 200 px wide, names what it shows, and has nothing that runs', () => {
  const picture = svg(capturedProfile())
  assertWellFormed(picture)
  assert.match(picture, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="1200" /)
  assert.match(picture, /<title id="title">Flame graph of demo<\/title>/)
  assert.match(picture, /<desc id="description">Width is weight, .* Outermost frames: main 85\.7 % ±/)
  assert.match(picture, /<title>sys_read, 14\.3 % ±\d+\.\d, self 14\.3 % ±/)
  for (const pattern of ['kernel', 'jit', 'inlined'])
    assert.match(picture, new RegExp(`fill="url\\(#${pattern}\\)"`))
  assert.doesNotMatch(picture, /<script|onload|href=/)
})

test('the picture says how fast all of its samples were taken', () => {
  const subtitleOf = (change: object) =>
    />([^<]*box[^<]*)<\/text>/.exec(svg({ ...capturedProfile(), capture: { ...CAPTURE, ...change } }))![1]
  assert.match(subtitleOf({})!, / · 99 Hz · box$/)
  const rates = [
    { target: 'comm nginx', rateHz: 97, samples: 5 },
    { target: 'comm idle', rateHz: 0, samples: 0 },
    { target: '', rateHz: 19, samples: 2 },
  ]
  assert.match(subtitleOf({ rateHz: 19, rates })!, / · 19 to 97 Hz · box$/)
})

test('what is too narrow is in boxes that say how much, and all widths are kept', () => {
  const picture = svg(largeProfile(50_000))
  assertWellFormed(picture)
  assert.ok((picture.match(/<g>/g) ?? []).length <= 1201)
  assert.match(picture, /<title>\d+ frames too narrow to draw, [\d.]+ %/)
  assert.match(picture, /fill="url\(#box\)"/)
})

test('hostile names are text, and no samples are said to be none', () => {
  const evil = '</title><script>alert(1)</script>\u0000\ud800"\''
  assertWellFormed(svg(profileOf([{ frames: [evil, 'x'.repeat(1 << 20)], count: 1 }])))
  assert.match(svg(profileOf([])), /<desc id="description">The profile holds no samples\.<\/desc>/)
  fc.assert(
    fc.property(anyProfile, (profile) => assertWellFormed(svg(profile))),
    { numRuns: 60 },
  )
})

test("the page's colours are the same in sRGB", () => {
  // Values of a browser's canvas for oklch(L C H).
  assert.equal(hexOfOklch(1, 0, 0), '#ffffff')
  assert.equal(hexOfOklch(0, 0, 0), '#000000')
  assert.equal(hexOfOklch(0.627955, 0.257683, 29.2339), '#ff0000')
  assert.equal(hexOfOklch(0.86644, 0.294827, 142.4953), '#00ff00')
})

test('the table has a row a function, with shares and what they may be off by', () => {
  const profile = profileOf([
    { frames: ['main', 'a'], count: 75 },
    { frames: ['main'], count: 25 },
  ])
  const [head, a, main, end] = csv(profile).split('\r\n')
  assert.match(
    head!,
    /^function,file,self \(\w+\),self %,self ± points,total \(\w+\),total %,total ± points$/,
  )
  assert.match(a!, /^a,[^,]*,\d+,75\.000,9\.\d{3},\d+,75\.000,9\.\d{3}$/)
  assert.match(main!, /^main,[^,]*,\d+,25\.000,9\.\d{3},\d+,100\.000,3\.\d{3}$/)
  assert.equal(end, '')
})

test('cells are quoted by RFC 4180, and none is a formula', () => {
  const names = ['=1+1', 'plus', '-b', '@c', '\t=d', 'a,b', 'say "x"', 'two\nlines', ' =e', '＝f', 'plain']
  const profile = profileOf(names.map((name) => ({ frames: [name], count: 1 })))
  // A plus at the start means "inlined" to profileOf.
  const functions = profile.functions.map((entry) =>
    entry.name === 'plus' ? { ...entry, name: '+a' } : entry,
  )
  const rows = csv({ ...profile, functions })
    .split('\r\n')
    .slice(1, -1)
  const cells = rows.map((row) => /^("(?:[^"]|"")*"|[^,]*),/.exec(row)![1]!)
  assert.deepEqual(
    cells.toSorted(),
    [
      "'+a",
      "'-b",
      "'=1+1",
      "'@c",
      "'?=d",
      '" =e"',
      '"a,b"',
      '"say ""x"""',
      "'＝f",
      'plain',
      'two lines',
    ].toSorted(),
  )
  fc.assert(
    fc.property(anyProfile, (profile) => {
      for (const row of csv(profile).split('\r\n').slice(0, -1)) {
        const plain = row.replace(/"(?:[^"]|"")*"/g, '')
        assert.equal(plain.split(',').length, 8, row)
        assert.doesNotMatch(row, /^"?[=+@\t-]/)
      }
    }),
    { numRuns: 60 },
  )
})
