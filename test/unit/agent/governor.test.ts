import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Governor, percentText, type RateChange } from '../../../src/agent/governor.ts'

const CPUS = 4
const SECOND_NS = 1e9 * CPUS

/** A host in simulated time: every second costs base + rate * perHz, as a share of all its CPUs. */
class Host {
  readonly governor: Governor
  readonly changes: (RateChange & { atS: number })[] = []
  nowMs = 1e6
  cpuNs = 5e9
  seconds = 0

  constructor(rateHz: number, maxOverhead = 0.01) {
    this.governor = new Governor({ rateHz, maxOverhead })
  }

  run(seconds: number, cost: (rateHz: number, second: number) => number): this {
    for (let i = 0; i < seconds; i++) {
      this.nowMs += 1000
      this.cpuNs += cost(this.governor.rateHz, this.seconds++) * SECOND_NS
      this.look()
    }
    return this
  }

  look(): void {
    const change = this.governor.observe(this.nowMs, this.cpuNs, CPUS)
    if (change !== null) this.changes.push({ ...change, atS: this.seconds })
  }

  get rates(): number[] {
    return this.changes.map(({ toHz }) => toHz)
  }
}

test('below the limit the rate stays the configured one', () => {
  const host = new Host(97).run(3600, () => 0.0099)
  assert.deepEqual(host.changes, [])
  assert.ok(Math.abs(host.governor.stats().overhead - 0.0099) < 1e-9)
})

test('a constant overload lowers the rate once or twice, and then it stays: nothing oscillates', () => {
  const host = new Host(97).run(7200, (rate) => 0.001 + rate * 0.00015)
  // 97 Hz cost 1.555 %; 49 Hz 0.835 %, from where a step up would be expected above 0.85 of the limit.
  assert.ok(host.changes.length >= 1 && host.changes.length <= 2, JSON.stringify(host.changes))
  const { overhead, lowered, raised } = host.governor.stats()
  assert.ok(overhead < 0.01 && overhead > 0.006, `${overhead}`)
  assert.deepEqual([lowered, raised], [host.changes.length, 0])
})

test('the first lowering comes after half a minute of overload', () => {
  const host = new Host(97).run(40, () => 0.03)
  assert.equal(host.changes.length, 1)
  assert.deepEqual({ ...host.changes[0], overhead: 0 }, { fromHz: 97, toHz: 48, overhead: 0, atS: 31 })
})

test('where no rate helps it ends at 1 Hz and says so once', () => {
  const host = new Host(19).run(7200, () => 0.2)
  assert.deepEqual(host.rates, [9, 4, 2, 1])
  assert.match(
    host.governor.note(),
    /^the rate is 1 Hz instead of 19: profiling took 20 % of .*, maxOverhead is 1 %$/,
  )
})

test('bursts lower nothing: starting, naming a huge program', () => {
  const host = new Host(19).run(7200, (_rate, second) => (second % 300 < 9 ? 0.1 : 0.001))
  assert.deepEqual(host.changes, [])
})

test('bursts that are too much on the whole do lower it', () => {
  const host = new Host(19).run(600, (_rate, second) => (second % 20 < 9 ? 0.1 : 0))
  assert.ok(host.rates.length > 1 && host.governor.rateHz < 10)
})

test('after the overload the rate comes back slowly, to exactly the configured one', () => {
  const host = new Host(97).run(600, (rate) => rate * 0.0003)
  const low = host.governor.rateHz
  assert.ok(low < 40)
  host.changes.length = 0
  host.run(1800, (rate) => rate * 0.00005)
  assert.equal(host.governor.rateHz, 97)
  assert.equal(host.governor.note(), '')
  const gaps = host.changes.slice(1).map(({ atS }, i) => atS - host.changes[i]!.atS)
  assert.ok(
    gaps.every((gap) => gap >= 30),
    `${gaps}`,
  )
  assert.deepEqual(
    host.rates,
    host.rates.toSorted((a, b) => a - b),
  )
})

test('a load that swings each minute is not followed: few changes an hour, fewer later', () => {
  const host = new Host(97)
  const swinging = (rate: number, second: number) => rate * (second % 120 < 60 ? 0.0003 : 0.00004)
  host.run(3600, swinging)
  const first = host.changes.length
  host.run(3 * 3600, swinging)
  const later = (host.changes.length - first) / 3
  assert.ok(first <= 20, `${first} changes in the first hour`)
  assert.ok(later <= 4, `${later} changes an hour later`)
})

test('no load makes the rate leave 1 to the configured one', () => {
  let seed = 1
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31
    return seed / 2 ** 31
  }
  const host = new Host(19).run(100_000, () => random() ** 6)
  assert.ok(host.changes.length > 0)
  assert.ok(
    host.rates.every((rate) => Number.isInteger(rate) && rate >= 1 && rate <= 19),
    `${host.rates}`,
  )
  assert.ok(host.changes.every(({ fromHz, toHz }) => fromHz !== toHz))
})

test('a clock that steps, back or by an hour, judges nothing and stops nothing', () => {
  const host = new Host(97).run(15, () => 0.03)
  host.nowMs -= 3_600_000
  host.look()
  host.nowMs += 7_200_000
  host.look()
  assert.deepEqual(host.changes, [])
  host.run(40, () => 0.03)
  assert.equal(host.changes.length, 1)
})

test('a sum that falls back (the capture was started anew) is no overhead', () => {
  const host = new Host(97).run(15, () => 0.005)
  host.cpuNs = 0
  host.run(25, () => 0.005)
  assert.deepEqual(host.changes, [])
  assert.ok(Number.isFinite(host.governor.stats().overhead))
  host.cpuNs = Number.NaN
  host.look()
  assert.deepEqual(host.changes, [])
})

test('a reload: a rate in force moves at once, a lowered one stays and rises to the new one', () => {
  const host = new Host(97)
  host.governor.configure({ rateHz: 19, maxOverhead: 0.01 })
  assert.equal(host.governor.rateHz, 19)
  host.run(60, () => 0.05)
  const low = host.governor.rateHz
  assert.ok(low < 19)
  host.governor.configure({ rateHz: 49, maxOverhead: 0.05 })
  assert.equal(host.governor.rateHz, low)
  host.run(1800, () => 0.001)
  assert.equal(host.governor.rateHz, 49)
  host.governor.configure({ rateHz: 2, maxOverhead: 0.05 })
  assert.equal(host.governor.rateHz, 2)
})

test('shares are printed as people read them', () => {
  assert.deepEqual([0.01, 0.01349, 0.2, 0.00012].map(percentText), ['1 %', '1.3 %', '20 %', '0.012 %'])
})
