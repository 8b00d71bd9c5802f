/** The quality figures: what they say, and what they tell to do, which must name the right cause. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CaptureReport, Label, Profile } from '../../../src/model/profile.ts'
import type { QualityFigure } from '../../../src/view/protocol.ts'
import { qualityOf } from '../../../src/view/quality.ts'
import { HEALTHY_CAPTURE, profileOf } from '../../helpers/sample-profile.ts'

interface Row {
  readonly frames: readonly string[]
  readonly count: number
  readonly end?: string
}

function captured(rows: readonly Row[], report: Partial<CaptureReport>): Profile {
  const profile = profileOf(rows, { ...HEALTHY_CAPTURE, ...report })
  const labelSets = rows.map(({ end }): Label[] =>
    end === undefined ? [] : [{ key: 'stack_end', str: end }],
  )
  const labelSet = Int32Array.from(rows.keys())
  return { ...profile, labelSets, samples: { ...profile.samples, labelSet } }
}

const stacks = (complete: number, approximate: number, truncated: Record<string, number>) => ({
  samples: { captured: 100, kept: 100, dropped: {} },
  stacks: { complete, approximate, truncated },
})

function figure(profile: Profile, label: string): QualityFigure {
  return qualityOf(profile, () => assert.fail('the report tells it')).find((one) =>
    one.label.startsWith(label),
  )!
}

test('a healthy capture has four figures, all good, with nothing to do about the names', () => {
  const profile = captured([{ frames: ['main|/usr/bin/node'], count: 1812 }], {})
  const figures = qualityOf(profile, () => assert.fail('the report tells it'))
  assert.deepEqual(
    figures.map(({ label, tone, isolates }) => [label, tone, isolates]),
    [
      ['stacks complete', 'good', false],
      ['named', 'good', false],
      ['lost', 'good', false],
      ['cost', 'none', false],
    ],
  )
  assert.equal(figures[1]!.fix, '')
})

test('broken stacks name the binary where most samples stop, however few rows they are', () => {
  const profile = captured(
    [
      { frames: ['main|/bin/app', 'work|/usr/lib/libfoo.so'], count: 60 },
      {
        frames: ['inner|/usr/lib/libfoo.so.2', 'leaf|/usr/lib/libc.so.6'],
        count: 30,
        end: 'no_unwind_rows',
      },
      { frames: ['a|/usr/lib/libbar.so', 'b|/usr/lib/libfoo.so.2'], count: 2, end: 'no_unwind_rows' },
      { frames: ['a|/usr/lib/libbar.so', 'c|/usr/lib/libfoo.so.2'], count: 3, end: 'no_unwind_rows' },
      { frames: ['x|//anon|jit'], count: 5, end: 'jit' },
    ],
    stacks(60, 0, { jit: 5, no_unwind_rows: 35 }),
  )
  const { value, tone, fix, isolates, meaning } = figure(profile, 'stacks complete, 40.0\u202f% cut short')
  assert.deepEqual([value, tone, isolates], ['60.0\u202f%', 'bad', true])
  assert.match(meaning, /5 jit, 35 no unwind rows/)
  assert.match(
    fix,
    /^30\.0\u202f% of the samples stop in libfoo\.so\.2 \(no unwind rows\): build libfoo\.so\.2 with -fasync/,
  )
})

test('each reason has its own remedy; a guessed step asks the doctor, as does an unknown binary', () => {
  const fixOf = (reason: string, binary: string): string => {
    const [approximate, truncated] = reason === 'approximate' ? [40, {}] : [0, { [reason]: 40 }]
    const rows = [
      { frames: ['main|/bin/app'], count: 60 },
      { frames: [`f|${binary}`], count: 40, end: reason },
    ]
    return figure(captured(rows, stacks(60, approximate, truncated)), 'stacks complete').fix
  }
  assert.match(fixOf('jit', '//anon|jit'), /^40\.0\u202f% of the samples stop \(jit\): .*frame pointers/)
  assert.match(fixOf('raw_stack_budget', '/bin/app'), /profile longer/)
  assert.match(fixOf('no_unwind_rows', ''), /profile doctor PID/)
  assert.match(fixOf('approximate', '/bin/app'), /^run `profile doctor PID`/)
  assert.match(fixOf('approximate', '//anon|jit'), /^nothing is wrong: code made at run time/)
  assert.equal(fixOf('a_reason_of_tomorrow', '/bin/app'), '')
})

test('approximate stacks are told apart from those cut short, and are nothing to worry about in run-time code', () => {
  const rows = [
    { frames: ['main|/bin/node'], count: 10 },
    { frames: ['f|//anon|jit'], count: 88, end: 'approximate' },
    { frames: ['g|/bin/node'], count: 2, end: 'no_unwind_rows' },
  ]
  const mixed = figure(captured(rows, stacks(10, 88, { no_unwind_rows: 2 })), 'stacks complete')
  assert.equal(mixed.label, 'stacks complete, 88.0\u202f% approximate, 2.0\u202f% cut short')
  assert.equal(mixed.tone, 'fair')
  assert.match(mixed.fix, /^nothing is wrong: code made at run time/)
  assert.equal(
    mixed.meaning,
    'complete: 10 stacks reach the root of their thread; approximate: 88 reach it over a step that was guessed; ' +
      'cut short: 2 end before it (2 no unwind rows)',
  )
})

test('where too many stacks are cut short, those are what is to be mended, however many are approximate', () => {
  const rows = [
    { frames: ['f|//anon|jit'], count: 90, end: 'approximate' },
    { frames: ['g|/bin/tool'], count: 10, end: 'no_unwind_rows' },
  ]
  const { tone, fix } = figure(captured(rows, stacks(0, 90, { no_unwind_rows: 10 })), 'stacks complete')
  assert.equal(tone, 'bad')
  assert.match(fix, /stop in tool \(no unwind rows\): build tool/)
})

test('missing names tell the binary that most samples run through without one, and why', () => {
  const profile = captured(
    [
      { frames: ['main|/bin/app', '|/usr/lib/libhot.so'], count: 50 },
      { frames: ['main|/bin/app', '|/usr/lib/libcold.so', '|/usr/lib/libcold.so'], count: 10 },
    ],
    { frames: { named: 60, unnamed: { no_symbols: 70 } } },
  )
  assert.match(
    figure(profile, 'named').fix,
    /^38\.5\u202f% of the frames are in libhot\.so and have no name \(no symbols\): install the debug symbols of libhot\.so/,
  )
})

test('run-time code without names is told how its runtime writes them', () => {
  const plain = captured([{ frames: ['main|/usr/bin/node', '|//anon|jit'], count: 50 }], {
    frames: { named: 50, unnamed: { jit: 50 } },
  })
  const locations = plain.locations.map((one) =>
    one.lines.length > 0 ? one : { ...one, unnamedReason: 'jit' },
  )
  assert.equal(
    figure({ ...plain, locations }, 'named').fix,
    '50.0\u202f% of the frames have no name (jit): start it with `node --perf-basic-prof`',
  )
})

test('lost samples and a high cost are told what to change', () => {
  const profile = captured([{ frames: ['main'], count: 50 }], {
    samples: { captured: 100, kept: 50, dropped: { ring_full: 50 } },
    overhead: { ...HEALTHY_CAPTURE.overhead, cpuNs: 500_000_000 },
  })
  assert.match(figure(profile, 'lost').meaning, /50 ring full/)
  assert.match(figure(profile, 'lost').fix, /-F/)
  assert.deepEqual([figure(profile, 'cost').tone, figure(profile, 'cost').fix !== ''], ['bad', true])
})

test('profiles of others have one figure, from their frames', () => {
  const profile = profileOf([{ frames: ['main|/bin/app', '|/usr/lib/libx.so'], count: 4 }])
  const figures = qualityOf(profile, () => 0.5)
  assert.deepEqual(
    figures.map(({ value, tone }) => [value, tone]),
    [['50.0\u202f%', 'bad']],
  )
  assert.match(figures[0]!.fix, /libx\.so/)
})

test('a capture without samples is neither bad nor divided by zero', () => {
  const profile = captured([], {
    samples: { captured: 0, kept: 0, dropped: {} },
    stacks: { complete: 0, approximate: 0, truncated: {} },
    frames: { named: 0, unnamed: {} },
    durationNs: 0,
  })
  for (const { value, fix } of qualityOf(profile, () => 1)) {
    assert.doesNotMatch(value, /NaN|Infinity/)
    assert.equal(fix, '')
  }
})
