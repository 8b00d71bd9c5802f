/** The static picture: sound XML without script, the frames with their words, nothing of the profile as markup. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeSvg } from '../../../src/formats/svg.ts'
import { largeProfile, nodeServerProfile, profileOf } from '../../helpers/sample-profile.ts'

const picture = (profile: Parameters<typeof writeSvg>[0]): string => [...writeSvg(profile)].join('')

/** Every element that opens closes, in order. */
function assertBalanced(svg: string): void {
  const open: string[] = []
  for (const [, slash, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^>]*)>/gi)) {
    if (slash === '/') assert.equal(open.pop(), name)
    else if (!rest!.endsWith('/')) open.push(name!)
  }
  assert.deepEqual(open, [])
}

test('draws every frame with its share and interval, and tells kinds apart by pattern', () => {
  const svg = picture(nodeServerProfile())
  assertBalanced(svg)
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="1200"/)
  assert.match(svg, /<title>[^<]*decodeBody, \d+\.\d % ±\d+\.\d, self/)
  for (const pattern of ['kernel', 'jit']) assert.ok(svg.includes(`url(#${pattern})`), pattern)
  assert.doesNotMatch(svg, /<script|onload|javascript:|href/i)
})

test('says how much is too narrow to draw, and stays small', () => {
  const svg = picture(largeProfile(100_000))
  assertBalanced(svg)
  assert.match(svg, /\d+ frames too narrow to draw, \d+\.\d %/)
  assert.ok(svg.length < 1_000_000, `${svg.length} characters`)
})

test('names with markup, controls and half characters are text', () => {
  const svg = picture(
    profileOf([{ frames: ['</svg><script>alert(1)</script>', 'a\u0000b\ud800c&"\''], count: 5 }]),
  )
  assertBalanced(svg)
  assert.doesNotMatch(svg, /<script/)
  assert.ok(!svg.includes('\u0000'))
})

test('a profile without samples is a picture that says so', () => {
  const svg = picture(profileOf([]))
  assertBalanced(svg)
  assert.match(svg, /holds no samples/)
})
