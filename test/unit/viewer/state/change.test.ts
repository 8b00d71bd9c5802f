import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { INITIAL_STATE, type ViewState, WHOLE } from '../../../../src/view/state.ts'
import * as change from '../../../../src/viewer/state/change.ts'
import { chipOf, chipWords, queryWords } from '../../../../src/viewer/state/chips.ts'
import { PRESETS, presetName } from '../../../../src/viewer/state/presets.ts'

const zoomedState: ViewState = { ...INITIAL_STATE, zoom: { path: ['a', 'b'], ranks: [3, 9] } }

describe('steps from state to state', () => {
  test('a filter is added once, and leaves a zoom whose path it changes', () => {
    const only = change.withChip(zoomedState, { kind: 'only', text: 'x' })
    assert.deepEqual(only.zoom, zoomedState.zoom)
    assert.equal(change.withChip(only, { kind: 'only', text: 'x' }), only)
    const hidden = change.withChip(only, { kind: 'hide', text: 'a' })
    assert.deepEqual([hidden.chips.length, hidden.zoom], [2, WHOLE])
    assert.deepEqual(change.withoutChip(hidden, 0).chips, [{ kind: 'hide', text: 'a' }])
  })

  test('a label has one value at a time when it is chosen from a list', () => {
    const one = change.withLabel(change.withChip(INITIAL_STATE, { kind: 'hide', text: 'a' }), 'comm', 'sh')
    const two = change.withLabel(one, 'comm', 'node')
    assert.deepEqual(
      two.chips.map(({ text }) => text),
      ['a', 'comm:node'],
    )
    assert.equal(change.withLabel(two, 'comm', '').chips.length, 1)
  })

  test('zooming out leaves the members first, then one frame at a time', () => {
    const once = change.zoomedOut(zoomedState)
    assert.deepEqual(once.zoom, { path: ['a', 'b'], ranks: null })
    assert.deepEqual(change.zoomedOut(once).zoom, { path: ['a'], ranks: null })
    assert.deepEqual(change.zoomedOut(INITIAL_STATE).zoom, WHOLE)
  })

  test('in a sandwich the callers zoom by themselves, are left first, and with the function', () => {
    const sandwich = change.inView(INITIAL_STATE, 'sandwich', 'f')
    const below = change.zoomed(sandwich, { path: ['g'], ranks: null })
    const both = change.zoomed(below, { path: [], ranks: [5, 9] }, 'callersZoom')
    assert.equal(change.zoomedHalf(both), 'callersZoom')
    const once = change.zoomedOut(both)
    assert.deepEqual([once.callersZoom, once.zoom, change.zoomedHalf(once)], [WHOLE, below.zoom, 'zoom'])
    assert.equal(change.zoomedHalf(change.unzoomed(both)), null)
    assert.deepEqual(change.inView(both, 'sandwich', 'other').callersZoom, WHOLE)
    assert.equal(change.zoomedHalf({ ...both, view: 'flame', zoom: WHOLE }), null)
  })

  test('a column sorts heaviest first, a name from A, and the other way round the second time', () => {
    const byName = change.sortedBy(INITIAL_STATE, 'name')
    assert.deepEqual(byName.sort, { by: 'name', descending: false })
    assert.deepEqual(change.sortedBy(byName, 'name').sort, { by: 'name', descending: true })
    assert.deepEqual(change.sortedBy(byName, 'total').sort, { by: 'total', descending: true })
  })

  test('comparing sorts by change, keeps the scale, and gives the order back', () => {
    const compared = change.comparedWith(INITIAL_STATE, { kind: 'file' })
    assert.equal(compared.sort.by, 'change')
    const scaled = { ...compared, compare: { ...compared.compare!, scale: 'absolute' as const } }
    const again = change.comparedWith(scaled, { kind: 'range', range: { fromNs: 0, toNs: 1 } })
    assert.equal(again.compare!.scale, 'absolute')
    assert.deepEqual(change.notCompared(again), INITIAL_STATE)
  })

  test('another view forgets the zoom, the table keeps it for the way back', () => {
    assert.deepEqual(change.inView(zoomedState, 'inverted').zoom, WHOLE)
    assert.deepEqual(change.inView(zoomedState, 'table').zoom, zoomedState.zoom)
  })
})

describe('the text of a filter', () => {
  test('says by its shape what it does', () => {
    const keys = ['thread', 'pod']
    assert.deepEqual(chipOf(' foo ', keys), { kind: 'only', text: 'foo' })
    assert.deepEqual(chipOf('-foo', keys), { kind: 'hide', text: 'foo' })
    assert.deepEqual(chipOf('thread:main', keys), { kind: 'label', text: 'thread:main' })
    assert.deepEqual(chipOf('-pod:~x', keys), { kind: 'label', text: '-pod:~x' })
    assert.deepEqual(chipOf('std::vec', keys), { kind: 'only', text: 'std::vec' })
    assert.deepEqual(
      ['', ' ', '-'].map((text) => chipOf(text, keys)),
      [null, null, null],
    )
  })

  test('is read as words', () => {
    assert.equal(chipWords({ kind: 'hide', text: 'malloc' }), 'hide malloc')
    assert.equal(chipWords({ kind: 'label', text: 'thread:main' }), 'thread: main')
    assert.equal(chipWords({ kind: 'label', text: '-thread:~gc' }), 'thread not …gc…')
    assert.equal(chipWords({ kind: 'broken', text: '' }), 'incomplete stacks')
    assert.equal(chipWords({ kind: 'broken', text: 'no_unwind_rows' }), 'cut short: no unwind rows')
  })

  test('shows a query for one name as that name', () => {
    assert.equal(queryWords('"std::vector(int)"'), 'std::vector(int)')
    assert.equal(queryWords('"'), '"')
    assert.equal(queryWords('/a/'), '/a/')
  })
})

describe('presets', () => {
  const hides = (name: string, frame: string): boolean => {
    const { text } = PRESETS.find((preset) => preset.name === name)!.chip
    return new RegExp(text.slice(1, -1), 'i').test(frame)
  }

  test('hide the C library of any toolchain, and not what only sounds like it', () => {
    for (const frame of [
      'malloc',
      '__libc_start_main',
      '_int_malloc',
      '__memcpy_avx_unaligned_erms',
      'start_thread',
      '_start',
      'operator new(unsigned long)',
      '__GI___libc_malloc',
    ])
      assert.ok(hides('hide libc', frame), frame)
    for (const frame of ['my_malloc', 'startServer', 'freeList', 'memory', 'main'])
      assert.ok(!hides('hide libc', frame), frame)
  })

  test('hide the inside of each runtime, and keep the program', () => {
    for (const frame of [
      'v8::internal::Execution::Call',
      'node::LibuvStreamWrap::OnUvRead',
      'uv__io_poll',
      'Builtins_JSEntry',
      'runtime.gcBgMarkWorker',
      'runtime.mallocgc',
      '_PyEval_EvalFrameDefault',
      'PyObject_Call',
      'JavaCalls::call_helper(JavaValue*, methodHandle*)',
      'tokio::runtime::task::raw::poll',
    ])
      assert.ok(hides('hide runtime internals', frame), frame)
    for (const frame of ['main.main', 'handleRequest', 'main', 'my::v8::thing', 'com.example.App.run'])
      assert.ok(!hides('hide runtime internals', frame), frame)
  })

  test('are known by their chips', () => {
    assert.equal(presetName(PRESETS[2]!.chip), 'hide kernel')
    assert.equal(presetName({ kind: 'only', text: 'x' }), null)
  })
})
