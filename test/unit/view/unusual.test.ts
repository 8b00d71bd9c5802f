/** The window that is offered: none where nothing happens, the right one where something does. By simulation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Profile } from '../../../src/model/profile.ts'
import { unusualOf } from '../../../src/view/unusual.ts'
import { profileOf, randomNumbers } from '../../helpers/sample-profile.ts'

const SECOND = 1e9

/** A 10 s profile with samples at these times, each in a function. */
function timed(samples: readonly { readonly atNs: number; readonly name: string }[]): [Profile, string[]] {
  const profile = profileOf(samples.map(({ name }) => ({ frames: ['main', name], count: 1 })))
  const timeNs = Float64Array.from(samples, ({ atNs }) => atNs)
  return [{ ...profile, samples: { ...profile.samples, timeNs } }, samples.map(({ name }) => name)]
}

function unusual(samples: Parameters<typeof timed>[0]): ReturnType<typeof unusualOf> {
  const [profile, names] = timed(samples)
  return unusualOf(profile, {
    column: 0,
    weights: profile.samples.values[0]!,
    leafName: (row) => names[row]!,
  })
}

const name = (at: number): string => (at < 0.6 ? 'heavy' : at < 0.9 ? 'medium' : 'light')

test('a profile in which nothing happens is offered none, whatever its rhythm', () => {
  let offered = 0
  const runs = 60
  for (let run = 0; run < runs; run++) {
    const random = randomNumbers(run + 1)
    // Independent samples; one busy thread at 99 Hz; a program that works every other 100 ms.
    const independent = Array.from({ length: 800 }, () => ({
      atNs: random() * 10 * SECOND,
      name: name(random()),
    }))
    const busy = Array.from({ length: 990 }, (_, i) => ({
      atNs: ((i + random()) * SECOND) / 99,
      name: name(random()),
    }))
    const cyclic = busy.filter(({ atNs }) => Math.floor(atNs / 1e8) % 2 === 0)
    const few = independent.slice(0, 40)
    for (const samples of [independent, busy, cyclic, few]) if (unusual(samples) !== null) offered++
  }
  assert.ok(offered <= 0.05 * runs * 4, `${offered} of ${runs * 4}`)
})

test('a burst is found where it is, with its function', () => {
  const random = randomNumbers(7)
  const calm = Array.from({ length: 500 }, () => ({ atNs: random() * 10 * SECOND, name: name(random()) }))
  const burst = Array.from({ length: 260 }, () => ({
    atNs: (3.4 + 2.2 * random()) * SECOND,
    name: 'gc_mark',
  }))
  const found = unusual([...calm, ...burst])!
  assert.ok(Math.abs(found.fromNs / SECOND - 3.4) < 0.15, `from ${found.fromNs / SECOND}`)
  assert.ok(Math.abs(found.toNs / SECOND - 5.6) < 0.15, `to ${found.toNs / SECOND}`)
  assert.match(
    found.sentence,
    /^3\.\d–5\.\d\u202fs: \d\.\d times the CPU of the rest, \d\d\.\d\u202f% in gc_mark/,
  )
})

test('the same CPU spent elsewhere is unusual too', () => {
  const random = randomNumbers(11)
  const samples = Array.from({ length: 990 }, (_, i) => {
    const atNs = ((i + random()) * SECOND) / 99
    const isElsewhere = atNs > 7 * SECOND && atNs < 8 * SECOND
    return { atNs, name: isElsewhere && random() < 0.8 ? 'compact' : name(random()) }
  })
  const found = unusual(samples)!
  assert.ok(Math.abs(found.fromNs / SECOND - 7) < 0.2 && Math.abs(found.toNs / SECOND - 8) < 0.2)
  assert.match(found.sentence, /% in compact/)
})

test('samples without times, or too few, offer none', () => {
  assert.equal(unusual([{ atNs: 0, name: 'a' }]), null)
  const profile = profileOf([{ frames: ['a'], count: 500 }])
  assert.equal(
    unusualOf(profile, { column: 0, weights: profile.samples.values[0]!, leafName: () => 'a' }),
    null,
  )
})
