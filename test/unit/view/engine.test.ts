/** The answers of the engine: drawings that fit and add up, zooms that reach everything, comparisons with a verdict. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Label, Profile } from '../../../src/model/profile.ts'
import { Engine } from '../../../src/view/engine.ts'
import { previewOf } from '../../../src/view/preview.ts'
import type { Drawing, Listed, Shown } from '../../../src/view/protocol.ts'
import { INITIAL_STATE, type ViewState, WHOLE } from '../../../src/view/state.ts'
import { largeProfile, nodeServerProfile, profileOf } from '../../helpers/sample-profile.ts'

function engineOf(profile: Profile): Engine {
  const engine = new Engine()
  engine.open(profile, 'test')
  return engine
}

const show = (engine: Engine, changes: Partial<ViewState> = {}, widthPx = 1000): Shown & Listed => ({
  ...engine.show({ ...INITIAL_STATE, ...changes }, widthPx),
  ...engine.list(50),
})

/** No child is wider than its parent has room for. */
function assertFits({ rows }: Drawing): void {
  const children = new Float64Array(rows.length)
  rows.forEach((row, i) => {
    assert.ok(row.parent < i)
    if (row.parent >= 0) children[row.parent]! += row.value
  })
  for (const [i, row] of rows.entries())
    assert.ok(children[i]! <= row.value * (1 + 1e-9), `${row.name} has room for its callees`)
  assert.ok(rows.length <= 1201, `${rows.length} rows`)
}

/** Samples with labels and times beside their stacks. */
function labelled(
  rows: readonly { frames: readonly string[]; count: number; labels?: readonly Label[]; timeNs?: number }[],
): Profile {
  const profile = profileOf(rows)
  return {
    ...profile,
    labelSets: rows.map(({ labels }) => labels ?? []),
    samples: {
      ...profile.samples,
      labelSet: Int32Array.from(rows.keys()),
      timeNs: Float64Array.from(rows, ({ timeNs }) => timeNs ?? 0),
    },
  }
}

test('nothing can be asked before a profile is open', () => {
  assert.throws(() => show(new Engine()), { code: 'internal' })
  assert.throws(() => engineOf(nodeServerProfile()).rows(0, 1), { code: 'internal' })
})

test('a large tree is drawn in 1 200 rows that add up, with boxes for the rest', () => {
  const engine = engineOf(largeProfile(100_000))
  const shown = show(engine)
  assertFits(shown.drawing)
  const boxes = shown.drawing.rows.filter(({ shape }) => shape === 'box')
  assert.ok(boxes.length > 10)
  assert.ok(
    boxes.every(
      ({ box, value }) => box!.count > 0 && box!.ranks[1] - box!.ranks[0] === box!.count && value > 0,
    ),
  )
})

test('every child of a wide node is reached by its rank', () => {
  const count = 3000
  const stacks = Array.from({ length: count }, (_, i) => ({
    frames: ['main', `leaf${i}`],
    count: 1 + (i % 7),
  }))
  const engine = engineOf(profileOf(stacks))
  const path = [show(engine).drawing.rows[1]!.key]
  const seen = new Set<string>()
  let ranks: readonly [number, number] | null = null
  const visit = (range: readonly [number, number] | null, depth: number): void => {
    assert.ok(depth < 6)
    const { drawing } = show(engine, { zoom: { path, ranks: range } })
    for (const row of drawing.rows) {
      if (row.shape === 'frame' && row.name.startsWith('leaf')) seen.add(row.name)
      if (row.shape === 'box' && row.parent === 0) visit(row.box!.ranks, depth + 1)
    }
  }
  visit(ranks, 0)
  ranks = [count, count + 5]
  assert.equal(seen.size, count)
  assert.ok(
    show(engine, { zoom: { path, ranks } }).drawing.rows.length > 1,
    'ranks that are not there show the node',
  )
})

test('a zoom path that leads nowhere any more ends at its deepest known frame', () => {
  const engine = engineOf(nodeServerProfile())
  const key = show(engine).drawing.rows[1]!.key
  const { drawing } = show(engine, { zoom: { path: [key, 'gone@nowhere'], ranks: null } })
  assert.deepEqual(drawing.path, [key])
  assert.equal(drawing.above.length, 1)
})

test('matches that are too narrow to draw are counted on the frame or box that hides them', () => {
  const engine = engineOf(largeProfile(100_000))
  const shown = show(engine, { search: '/operation_1\\d*7/' })
  const { rows } = shown.drawing
  const counted = rows.reduce((sum, row) => sum + (row.found ? 1 : 0) + row.hiddenMatches, 0)
  assert.equal(counted, shown.search!.places)
  assert.ok(shown.search!.value > 0)
})

test('a record below zero is not drawn and is told; an empty stack is in the root', () => {
  const profile = profileOf([
    { frames: ['a'], count: 5 },
    { frames: ['b'], count: -3 },
    { frames: [], count: 2 },
  ])
  const shown = show(engineOf(profile))
  assert.equal(shown.negativeRows, 1)
  assert.equal(shown.drawing.rows[0]!.value / 10_101_010, 7)
  assert.deepEqual(
    shown.drawing.rows.slice(1).map(({ name }) => name),
    ['a'],
  )
})

test('a profile without samples shows an empty root', () => {
  const shown = show(engineOf(profileOf([])))
  assert.deepEqual([shown.total, shown.drawing.rows.length, shown.table.count], [0, 1, 0])
})

test('the preview is what the worker will answer', () => {
  const profile = largeProfile(30_000)
  const preview = previewOf(profile)!
  const engine = new Engine()
  const opened = engine.open(profile, '')
  assert.deepEqual(preview.opened, opened)
  assert.deepEqual(preview.shown, engine.show(INITIAL_STATE, 1030))
  const { table } = engine.list(30)
  assert.deepEqual({ ...preview.listed.table, revision: table.revision }, table)
  assert.notEqual(preview.listed.table.revision, table.revision, 'the worker lists more rows')
  engine.show({ ...INITIAL_STATE, zoom: { path: [preview.shown.drawing.rows[1]!.key], ranks: null } }, 1030)
  assert.equal(engine.list(30).table.revision, table.revision, 'a zoom leaves the table as it is')
  engine.show({ ...INITIAL_STATE, search: 'operation_1' }, 1030)
  assert.notEqual(engine.list(30).table.revision, table.revision, 'a search makes it another one')
  assert.equal(previewOf(nodeServerProfile()), null, 'small profiles are opened as fast')
})

test('labels and times filter samples; a label that is unknown matches none', () => {
  const profile = labelled([
    { frames: ['a'], count: 1, labels: [{ key: 'thread', str: 'main' }], timeNs: 0 },
    { frames: ['b'], count: 2, labels: [{ key: 'thread', str: 'gc worker' }], timeNs: 5e9 },
    { frames: ['c'], count: 4, labels: [{ key: 'stack_end', str: 'no_unwind_rows' }], timeNs: 9e9 },
  ])
  const engine = engineOf(profile)
  const left = (changes: Partial<ViewState>): number => show(engine, { column: 0, ...changes }).total
  const label = (text: string): number => left({ chips: [{ kind: 'label', text }] })
  assert.deepEqual(
    [label('thread:main'), label('thread:~GC'), label('-thread:main'), label('pid:7')],
    [1, 2, 6, 0],
  )
  assert.equal(left({ range: { fromNs: 5e9, toNs: 9e9 } }), 2)
  assert.equal(left({ chips: [{ kind: 'broken', text: '' }] }), 4)
  assert.equal(left({ chips: [{ kind: 'broken', text: 'jit' }] }), 0)
  const [bad] = show(engine, { chips: [{ kind: 'label', text: 'nothing' }] }).chips
  assert.match(bad!.problem, /names no label/)
  assert.deepEqual(
    engine.labels('thread', '').values.map(({ value }) => value),
    ['', 'gc worker', 'main'],
  )
})

test('two files are compared: who grew, what is gone, with a sentence; equal ones are noise', () => {
  const before = profileOf([
    { frames: ['main', 'parse'], count: 300 },
    { frames: ['main', 'old'], count: 200 },
    { frames: ['main', 'rest'], count: 1500 },
  ])
  const after = profileOf([
    { frames: ['main', 'parse'], count: 700 },
    { frames: ['main', 'rest'], count: 1300 },
  ])
  const engine = engineOf(after)
  assert.equal(engine.openBaseline(before, 'before.pb.gz').baselineName, 'before.pb.gz')
  const compare = { with: { kind: 'file' }, scale: 'relative', side: 'diff' } as const
  const shown = show(engine, { compare, column: 0, sort: { by: 'change', descending: true } })
  assert.match(shown.verdict!.sentence, /^parse grew by 20\.0 points \(/)
  assert.deepEqual(shown.verdict!.gone, ['old'])
  assert.deepEqual(
    [shown.verdict!.beforeName, shown.verdict!.beforeTotal, shown.total],
    ['before.pb.gz', 2000, 2000],
  )
  const [first] = shown.table.rows
  assert.deepEqual([first!.name, first!.change!.verdict], ['parse', 'grew'])
  assert.ok(first!.change!.low < 0.2 && first!.change!.high > 0.2)
  assert.equal(show(engine, { compare: { ...compare, side: 'before' }, column: 0 }).table.count, 4)
  assert.equal(show(engine, { column: 0 }).verdict, null, 'and back')

  engine.openBaseline(after, 'same')
  const same = show(engine, { compare, column: 0 })
  assert.equal(same.verdict!.significant, 0)
  assert.match(same.verdict!.sentence, /equal/)
  engine.openBaseline(before, 'another')
  const another = show(engine, { compare, column: 0 }).verdict!
  assert.deepEqual(
    [another.beforeName, another.gone],
    ['another', ['old']],
    'in place of the one that is compared',
  )
})

test('files of different days begin together: the band is as long as they are, a range is the same part of both', () => {
  const rows = [0, 4e9].map((timeNs, i) => ({ frames: ['main', `part${i}`], count: 100, timeNs }))
  const after = labelled(rows)
  const engine = engineOf(after)
  engine.openBaseline({ ...labelled(rows), timeNs: after.timeNs - 86_400_000_000_000n }, 'yesterday')
  const compare = { with: { kind: 'file' }, scale: 'relative', side: 'diff' } as const
  const state = { ...INITIAL_STATE, compare, column: 0 }
  assert.equal(engine.band(state, 10).toNs, Number(after.durationNs))
  const { total, verdict } = show(engine, { ...state, range: { fromNs: 0, toNs: 2e9 } })
  assert.deepEqual([total, verdict!.beforeTotal, verdict!.significant], [100, 100, 0])
})

test('what other tools write for a frame without a name is none', () => {
  const rows = [
    { frames: ['main', '[unknown]'], count: 5 },
    { frames: ['main', '??'], count: 3 },
    { frames: ['main', '0x7f00'], count: 2 },
  ]
  const { quality } = new Engine().open(profileOf(rows), 'perf.txt')
  assert.deepEqual([quality[0]!.value, quality[0]!.tone], ['50.0\u202f%', 'bad'])
})

test('what is gone is a ghost where there is room, and real widths stay', () => {
  const before = profileOf([
    { frames: ['main', 'gone'], count: 100 },
    { frames: ['main', 'stays'], count: 100 },
  ])
  const after = profileOf([
    { frames: ['main'], count: 100 },
    { frames: ['main', 'stays'], count: 100 },
  ])
  const engine = engineOf(after)
  engine.openBaseline(before, 'before')
  const compare = { with: { kind: 'file' }, scale: 'relative', side: 'diff' } as const
  const { drawing } = show(engine, { compare, column: 0 })
  assertFits(drawing)
  const byName = new Map(drawing.rows.map((row) => [row.name, row]))
  assert.deepEqual([byName.get('gone')!.shape, byName.get('gone')!.value], ['ghost', 100])
  assert.deepEqual([byName.get('stays')!.shape, byName.get('stays')!.value], ['frame', 100])
  assert.equal(byName.get('gone')!.before!.total, 100)
})

test('ranges and labels are compared within one profile', () => {
  const rows = [0, 1].flatMap((half) =>
    ['old', 'new'].map((name, i) => ({
      frames: ['main', name],
      count: half === i ? 500 : 100,
      timeNs: half * 5e9,
      labels: [{ key: 'pod', str: `pod-${half}` }],
    })),
  )
  const engine = engineOf(labelled(rows))
  const base = { scale: 'relative', side: 'diff' } as const
  const range = { with: { kind: 'range', range: { fromNs: 0, toNs: 5e9 } }, ...base } as const
  const byRange = show(engine, { column: 0, compare: range, range: { fromNs: 5e9, toNs: 10e9 } })
  const label = { with: { kind: 'label', key: 'pod', before: 'pod-0', after: 'pod-1' }, ...base } as const
  const byLabel = show(engine, { column: 0, compare: label })
  for (const shown of [byRange, byLabel]) {
    assert.equal(shown.total, 600)
    assert.equal(shown.verdict!.significant, 2)
    assert.match(shown.verdict!.sentence, /^(new grew|old shrank) by 66\.7 points/)
  }
  assert.equal(byLabel.verdict!.beforeName, 'pod: pod-0')
})

test('a baseline of other sample types is refused, and the profile stays', () => {
  const engine = engineOf(nodeServerProfile())
  const heap = {
    ...profileOf([{ frames: ['a'], count: 1 }]),
    sampleTypes: [{ type: 'space', unit: 'bytes' }],
  }
  const other = {
    ...heap,
    samples: { ...heap.samples, values: [heap.samples.values[0]!] },
    defaultSampleType: 0,
  }
  assert.throws(() => engine.openBaseline(other, 'heap'), { code: 'input_invalid' })
  assert.ok(show(engine).total > 0)
})

test('the sandwich is about its function, the inverted graph begins with leaves', () => {
  const engine = engineOf(
    profileOf([
      { frames: ['main', 'a', 'work'], count: 3 },
      { frames: ['main', 'b', 'work', 'leaf'], count: 2 },
    ]),
  )
  const row = show(engine, { column: 0 }).functions.find(({ name }) => name === 'work')!
  const sandwich = show(engine, { column: 0, view: 'sandwich', pivot: row.key })
  assert.deepEqual(
    [sandwich.drawing.rows[0]!.name, sandwich.drawing.rows[0]!.value, sandwich.callers!.rows[0]!.value],
    ['work', 5, 5],
  )
  assert.deepEqual(sandwich.callers!.rows.map(({ name }) => name).sort(), ['a', 'b', 'main', 'main', 'work'])
  const inverted = show(engine, { column: 0, view: 'inverted', zoom: WHOLE })
  assert.deepEqual(
    inverted.drawing.rows.filter(({ parent }) => parent === 0).map(({ name, value }) => [name, value]),
    [
      ['work', 3],
      ['leaf', 2],
    ],
  )
})
