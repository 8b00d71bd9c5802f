import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Baseline,
  CHIP_KINDS,
  COLOURINGS,
  type Comparison,
  INITIAL_STATE,
  SCALES,
  SORTS,
  VIEWS,
  type ViewState,
} from '../../../../src/view/state.ts'
import { decodeState, encodeState } from '../../../../src/viewer/state/hash.ts'

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a/b', 'a&b=c', '%', '+ +', 'x:y;z', ''),
)
const range = fc
  .tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 2 ** 40 }))
  .map(([seconds, ns, length]) => {
    const fromNs = seconds * 1e5 + ns
    return { fromNs, toNs: fromNs + length }
  })
const baseline: fc.Arbitrary<Baseline> = fc.oneof(
  fc.constant<Baseline>({ kind: 'file' }),
  range.map((chosen): Baseline => ({ kind: 'range', range: chosen })),
  fc.record({ kind: fc.constant('label' as const), key: text, before: text, after: text }),
)
const comparison: fc.Arbitrary<Comparison> = fc.record({
  with: baseline,
  scale: fc.constantFrom(...SCALES),
  side: fc.constantFrom('before', 'diff', 'after'),
})
const ranks = fc
  .tuple(fc.nat(1e6), fc.integer({ min: 1, max: 1e6 }))
  .map(([from, n]): [number, number] => [from, from + n])
const state: fc.Arbitrary<ViewState> = fc.record({
  view: fc.constantFrom(...VIEWS),
  column: fc.integer({ min: -1, max: 99 }),
  chips: fc.array(fc.record({ kind: fc.constantFrom(...CHIP_KINDS), text }), { maxLength: 5 }),
  range: fc.option(range),
  compare: fc.option(comparison),
  zoom: fc.record({ path: fc.array(text, { maxLength: 8 }), ranks: fc.option(ranks) }),
  callersZoom: fc.record({ path: fc.array(text, { maxLength: 8 }), ranks: fc.option(ranks) }),
  pivot: text,
  search: text,
  sort: fc.record({ by: fc.constantFrom(...SORTS), descending: fc.boolean() }),
  colouring: fc.constantFrom(...COLOURINGS),
  upward: fc.boolean(),
  band: text,
  heatmap: fc.boolean(),
})

describe('the hash of a view', () => {
  test('gives any state back', () => {
    fc.assert(
      fc.property(state, (wanted) =>
        assert.deepEqual(decodeState(encodeState(wanted)), structuredClone(wanted)),
      ),
    )
  })

  test('gives a state for any text, and is settled after one round', () => {
    fc.assert(
      fc.property(fc.string(), (hash) => {
        const read = decodeState(hash)
        assert.deepEqual(decodeState(encodeState(read)), read)
      }),
    )
  })

  test('is empty for the first view and readable for others', () => {
    assert.equal(encodeState(INITIAL_STATE), '')
    const wanted: ViewState = {
      ...INITIAL_STATE,
      view: 'sandwich',
      chips: [
        { kind: 'hide', text: 'malloc' },
        { kind: 'label', text: 'thread:main' },
      ],
      range: { fromNs: 3_400_000_000, toNs: 5_600_000_001 },
      zoom: { path: ['main', 'a/b', 'operator new'], ranks: null },
    }
    const hash =
      'view=sandwich&chip=hide:malloc&chip=label:thread%3Amain&range=3.4-5.600000001&zoom=main/a%2Fb/operator+new'
    assert.equal(encodeState(wanted), hash)
    assert.deepEqual(decodeState(`#${hash}`), wanted)
  })

  test('ignores what it does not know, and keeps the rest', () => {
    const hash =
      '#view=pie&chip=eat:me&chip=hide:a&range=9-1&ranks=7-7&zoom=%E0%A4%A&column=1e3&future=1&&=&sort=-nothing'
    assert.deepEqual(decodeState(hash), { ...INITIAL_STATE, chips: [{ kind: 'hide', text: 'a' }] })
  })

  test('leaves out a name that no address could hold', () => {
    const huge = 'x'.repeat(1 << 20)
    const hash = encodeState({ ...INITIAL_STATE, pivot: huge, search: 'a' })
    assert.equal(hash, 'find=a')
  })

  test('writes a lone surrogate as the character for what is unknown', () => {
    assert.equal(decodeState(encodeState({ ...INITIAL_STATE, search: 'a\ud800b' })).search, 'a\ufffdb')
  })
})
