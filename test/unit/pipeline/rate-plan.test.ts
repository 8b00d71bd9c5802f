import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ONE_RATE,
  periodsOf,
  type RatePlan,
  rateNote,
  ratesOf,
  ratesUsed,
} from '../../../src/pipeline/rate-plan.ts'

const PLAN: RatePlan = {
  baseShare: 0.2,
  rules: [
    { by: 'comm', value: 'db', share: 1 },
    { by: 'pidNamespace', value: 4026531836, share: 0 },
  ],
}

test('rates of all targets follow the highest one, and samples stand for what their rate says', () => {
  assert.deepEqual(ratesOf(PLAN, 100), [20, 100, 0])
  assert.deepEqual(periodsOf(PLAN, 50), [1e8, 2e7, 0])
  assert.deepEqual(periodsOf(ONE_RATE, 50), [2e7])
})

test('a report lists what was asked, the base rate last, and nothing where there is one rate', () => {
  const rates = ratesUsed(PLAN, 97, [3, 40])!
  assert.deepEqual(rates, [
    { target: 'comm db', rateHz: 97, samples: 40 },
    { target: 'pid namespace 4026531836', rateHz: 0, samples: 0 },
    { target: '', rateHz: 0.2 * 97, samples: 3 },
  ])
  assert.equal(
    rateNote(rates),
    'targets have rates of their own, so samples stand for different CPU times: comm db 97 Hz, pid namespace 4026531836 never, all others 19.4 Hz',
  )
  assert.equal(ratesUsed(ONE_RATE, 97, [3]), undefined)
  assert.equal(rateNote(undefined), '')
})
