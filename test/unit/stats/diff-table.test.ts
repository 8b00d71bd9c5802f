import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DiffSide, diffTree, wholeSide } from '../../../src/model/diff-tree.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { type DiffScale, type DiffTable, diffTable, VERDICTS } from '../../../src/stats/diff-table.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

function split(counts: Readonly<Record<string, number>>, more: Partial<Profile> = {}): Profile {
  const stacks = Object.entries(counts).map(([path, count]) => ({ frames: path.split(';'), count }))
  return { ...profileOf(stacks), ...more }
}

function tableOf(
  before: Profile | DiffSide,
  after: Profile | DiffSide,
  scale: DiffScale = 'relative',
): DiffTable {
  const side = (of: Profile | DiffSide) => ('profile' in of ? of : wholeSide(of, 1))
  return diffTable(diffTree(side(before), side(after)), scale)
}

function verdicts(table: DiffTable): Record<string, string> {
  return Object.fromEntries(table.functions.name.map((name, fn) => [name, VERDICTS[table.verdict[fn]!]!]))
}

const fn = (table: DiffTable, name: string): number => table.functions.name.indexOf(name)

const BEFORE = { 'main;heavy': 600, 'main;medium': 300, 'main;light': 100, 'main;old': 60 }
const AFTER = { 'main;heavy': 500, 'main;medium': 430, 'main;light': 105, 'main;added;more': 70 }

test('tells what grew, shrank, came and went from what is noise', () => {
  const table = tableOf(split(BEFORE), split(AFTER))
  assert.deepEqual(verdicts(table), {
    main: 'noise',
    heavy: 'shrank',
    medium: 'grew',
    light: 'noise',
    old: 'gone',
    added: 'new',
    more: 'new',
  })
  const medium = fn(table, 'medium')
  assert.equal(table.total.change[medium], 430 / 1105 - 300 / 1060)
  assert.ok(table.total.low[medium]! > 0 && table.total.high[medium]! < 0.16)
  assert.ok(table.total.adjustedP[medium]! >= table.total.p[medium]!)
  assert.equal(table.before.samples, 1060)
  assert.equal(table.before.sampleWeight, 10_101_010)
})

test('totals count a recursive function once, and callers with their callees', () => {
  const table = tableOf(split({ 'a;b;a;b': 5, 'a;c': 2 }), split({ 'b;c': 4 }))
  const weights = (measure: 'self' | 'total', name: string) =>
    [table[measure].before[fn(table, name)]!, table[measure].after[fn(table, name)]!].map(
      (w) => w / 10_101_010,
    )
  assert.deepEqual(weights('total', 'a'), [7, 0])
  assert.deepEqual(weights('total', 'b'), [5, 4])
  assert.deepEqual(weights('self', 'b'), [5, 0])
  assert.deepEqual(weights('self', 'c'), [2, 4])
})

test('a profile against itself is noise, and so is one of another length', () => {
  const [once, tenfold] = [
    split(BEFORE),
    split(Object.fromEntries(Object.entries(BEFORE).map(([k, n]) => [k, 10 * n]))),
  ]
  for (const other of [once, tenfold]) {
    assert.deepEqual([...new Set(Object.values(verdicts(tableOf(once, other))))], ['noise'])
  }
})

test('the scale decides what a change is', () => {
  const before = split({ 'main;a': 500, 'main;b': 500 }, { durationNs: 10_000_000_000n })
  const after = split({ 'main;a': 1500, 'main;b': 1500 }, { durationNs: 30_000_000_000n })
  assert.equal(verdicts(tableOf(before, after, 'relative')).a, 'noise')
  assert.equal(verdicts(tableOf(before, after, 'per-second')).a, 'noise')
  const absolute = tableOf(before, after, 'absolute')
  assert.deepEqual(verdicts(absolute), { main: 'grew', a: 'grew', b: 'grew' })
  assert.equal(absolute.total.change[fn(absolute, 'a')], 1000 * 10_101_010)
  const busier = tableOf(before, { ...after, durationNs: 10_000_000_000n }, 'per-second')
  assert.equal(verdicts(busier).main, 'grew')
  assert.ok(Math.abs(busier.total.change[fn(busier, 'a')]! - 100 * 10_101_010) < 1)
})

test('sampling at another rate changes no weight', () => {
  const before = split({ 'main;a': 500, 'main;b': 500 })
  const base = split({ 'main;a': 5000, 'main;b': 5000 })
  const values = base.samples.values[0]!
  const finer = { ...base, samples: { ...base.samples, values: [values, values.map((n) => n * 1_010_101)] } }
  for (const scale of ['relative', 'per-second', 'absolute'] as const) {
    assert.deepEqual(verdicts(tableOf(before, finer, scale)), { main: 'noise', a: 'noise', b: 'noise' })
  }
})

test('without the number of samples nothing is claimed', () => {
  const heap = (counts: Record<string, number>) => {
    const profile = split(counts)
    const samples = { ...profile.samples, values: [profile.samples.values[1]!] }
    return { ...profile, sampleTypes: [{ type: 'inuse_space', unit: 'bytes' }], periodType: null, samples }
  }
  const table = tableOf(wholeSide(heap(BEFORE), 0), wholeSide(heap(AFTER), 0))
  assert.deepEqual([...new Set(Object.values(verdicts(table)))], ['unknown'])
  assert.ok(table.total.change[fn(table, 'medium')]! > 0.1)
  assert.ok(Number.isNaN(table.total.p[0]) && Number.isNaN(table.total.low[0]))
  assert.equal(table.tests, 0)
})

test('a side without samples claims nothing either', () => {
  assert.deepEqual(verdicts(tableOf(split({}), split({ a: 4 }))), { a: 'unknown' })
  assert.deepEqual(verdicts(tableOf(split({}), split({}))), {})
})

test('a function that calls nothing is one test, not two', () => {
  assert.equal(tableOf(split({ leaf: 5 }), split({ leaf: 6 })).tests, 1)
  assert.equal(tableOf(split({ 'main;leaf': 5 }), split({ 'main;leaf': 6 })).tests, 2)
  assert.equal(tableOf(split({ 'main;leaf': 5, main: 1 }), split({ 'main;leaf': 6 })).tests, 3)
})

test('per second of an unknown time there is nothing to tell', () => {
  const table = tableOf(split(BEFORE, { durationNs: 0n }), split(AFTER), 'per-second')
  assert.deepEqual([...new Set(Object.values(verdicts(table)))], ['unknown'])
  assert.ok(Number.isNaN(table.total.change[fn(table, 'medium')]))
})
