import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Attributes } from '../../../src/model/attributes.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { check } from '../../../src/otlp/conformance.ts'
import { decodeRequest } from '../../../src/otlp/decode.ts'
import { encodeProfilesData, encodeRequests } from '../../../src/otlp/encode.ts'
import { toProfiles } from '../../../src/otlp/to-profiles.ts'
import { capturedProfile } from '../formats/sample-profile.ts'
import {
  anyForeign,
  anyWindow,
  json,
  labelText,
  rowTexts,
  SCOPE,
  stackText,
  sumTexts,
  type Window,
} from './profiles.ts'

const KEPT = ['period', 'comments', 'dropFrames', 'keepFrames', 'docUrl', 'sampleTypes'] as const

/** Rows of a window as they must come out: whose, which stack, which thread, when, for how much CPU time. */
function sent({ profile, split }: Window): string[] {
  return Array.from(profile.samples.stack, (leaf, row) => {
    const set = profile.samples.labelSet[row]!
    const resource = split.resources[split.ofLabelSet[set]!]!
    const isTheProcess = 'process.pid' in resource
    const labels = profile.labelSets[set]!.filter(({ key }) => !isTheProcess || !/^(pid|comm)$/.test(key))
    const time = profile.timeNs + BigInt(profile.samples.timeNs![row]!)
    const weight = profile.samples.values[1]![row]!
    return json([sorted(resource), stackText(profile, leaf), labelText(labels), time, weight])
  }).sort()
}

function received(requests: readonly { readonly bytes: Uint8Array }[]): string[] {
  return requests
    .flatMap(({ bytes }) => toProfiles(decodeRequest(bytes)))
    .flatMap(({ resource, profile }) =>
      Array.from(profile.samples.stack, (leaf, row) => {
        const time = profile.timeNs + BigInt(profile.samples.timeNs![row]!)
        const labels = profile.labelSets[profile.samples.labelSet[row]!]!
        const period = Number(profile.period)
        return json([sorted(resource), stackText(profile, leaf), labelText(labels), time, period])
      }),
    )
    .sort()
}

function sorted(attributes: Attributes): unknown {
  return Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
}

test('P-02…P-17: any window goes out whole and conforms, without duplicates and orphans', () => {
  fc.assert(
    fc.property(anyWindow, (window) => {
      const requests = encodeRequests(window.profile, window.split, SCOPE, 1 << 22)
      assert.equal(requests.length, window.profile.samples.stack.length > 0 ? 1 : 0)
      for (const { bytes } of requests) assert.deepEqual(check(decodeRequest(bytes)), [])
      assert.deepEqual(received(requests), sent(window))
    }),
    { numRuns: 200 },
  )
})

test('P-33: a split under the limit keeps the multiset of (resource, stack, attributes, time)', () => {
  fc.assert(
    fc.property(anyWindow, fc.integer({ min: 1200, max: 4000 }), (window, maxBytes) => {
      let tooLarge = 0
      const requests = encodeRequests(window.profile, window.split, SCOPE, maxBytes, (count) => {
        tooLarge += count
      })
      for (const { bytes, samples } of requests) {
        assert.ok(bytes.length < maxBytes, `${bytes.length} of ${maxBytes}`)
        assert.ok(samples > 0)
        assert.deepEqual(check(decodeRequest(bytes)), [])
      }
      const count = requests.reduce((sum, { samples }) => sum + samples, 0)
      assert.equal(count + tooLarge, window.profile.samples.stack.length)
      if (tooLarge === 0) assert.deepEqual(received(requests), sent(window))
    }),
    { numRuns: 200 },
  )
})

test('P-10, P-61: any profile of another producer comes back from a file with all that it says', () => {
  fc.assert(
    fc.property(anyForeign, (profile) => {
      const decoded = toProfiles(decodeRequest(encodeProfilesData(profile, SCOPE)))
      if (profile.sampleTypes.length === 0) return assert.deepEqual(decoded, [])
      assert.equal(decoded.length, 1)
      const again = decoded[0]!.profile
      assert.equal(checkProfile(again), null)
      assert.deepEqual(sumTexts(again), sumTexts(profile))
      for (const key of KEPT) assert.deepEqual(again[key], profile[key], key)
      // By name, as pprof has it: columns may share one.
      const shown = ({ sampleTypes, defaultSampleType }: typeof again) => sampleTypes[defaultSampleType]!.type
      assert.equal(shown(again), shown(profile))
    }),
    { numRuns: 300 },
  )
})

test('P-61: a capture of ours comes back with its labels, times and both columns', () => {
  const profile = capturedProfile()
  const data = decodeRequest(encodeProfilesData(profile, SCOPE))
  assert.deepEqual(check(data), [])
  const decoded = toProfiles(data)
  assert.equal(decoded.length, 1)
  assert.deepEqual(rowTexts(decoded[0]!.profile), rowTexts(profile))
})

test('P-12: samples of each weight are a Profile message of their own period, in one envelope', () => {
  const profile = capturedProfile()
  const weights = profile.samples.values[0]!.map((_, row) => (row % 2 ? 10_309_278 : 52_631_579))
  const ones = weights.map(() => 1)
  const timeNs = weights.map((_, row) => row)
  const mixed = { ...profile, samples: { ...profile.samples, timeNs, values: [ones, weights] } }
  const split = { resources: [{}], ofLabelSet: new Int32Array(profile.labelSets.length) }
  const total = sumOf(weights)
  const [request, ...more] = encodeRequests(mixed, split, SCOPE, 1 << 22)
  assert.deepEqual(more, [])
  assert.equal(request!.samples, weights.length)
  const data = decodeRequest(request!.bytes)
  assert.deepEqual(check(data), [])
  assert.equal(data.resourceProfiles.length, 1)
  assert.equal(data.resourceProfiles[0]!.scopeProfiles.length, 1)
  assert.deepEqual(
    data.resourceProfiles[0]!.scopeProfiles[0]!.profiles.map(({ period }) => period),
    [52_631_579n, 10_309_278n],
  )
  const parts = toProfiles(data).map((part) => part.profile)
  for (const { samples, period } of parts)
    assert.ok(samples.values[1]!.every((value) => value === Number(period)))
  assert.equal(
    parts.reduce((sum, { samples }) => sum + sumOf(samples.values[1]!), 0),
    total,
  )
  const [file] = toProfiles(decodeRequest(encodeProfilesData(mixed, SCOPE)))
  assert.equal(file!.profile.period, 0n)
  const cpu = file!.profile.sampleTypes.findIndex(({ type }) => type === 'cpu')
  assert.equal(sumOf(file!.profile.samples.values[cpu]!), total)
})

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}
