import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { INITIAL_STATE, type ViewState } from '../../../../src/view/state.ts'
import { type Browsing, type Entry, StateHistory } from '../../../../src/viewer/state/history.ts'

/** A browser's list of entries. */
class FakeBrowsing implements Browsing {
  entries: { entry: unknown; hash: string }[]
  at = 0
  #moved = (): void => {}

  constructor(hash = '', entry: unknown = null) {
    this.entries = [{ entry, hash }]
  }
  get hash(): string {
    return this.entries[this.at]!.hash
  }
  get entry(): unknown {
    return this.entries[this.at]!.entry
  }
  push(entry: Entry, hash: string): void {
    this.entries = [...this.entries.slice(0, this.at + 1), { entry, hash: `#${hash}` }]
    this.at++
  }
  replace(entry: Entry, hash: string): void {
    this.entries[this.at] = { entry, hash: `#${hash}` }
  }
  back(): void {
    this.go(-1)
  }
  go(steps: number): void {
    this.at += steps
    this.#moved()
  }
  onMove(moved: () => void): void {
    this.#moved = moved
  }
}

const searching = (search: string): ViewState => ({ ...INITIAL_STATE, search })

describe('the history of a page', () => {
  test('begins at what the address says', () => {
    const history = new StateHistory(new FakeBrowsing('#find=a'), () => {})
    assert.equal(history.state.search, 'a')
    assert.equal(history.canUndo, false)
  })

  test('undoes and redoes actions; typing is one step', () => {
    const browsing = new FakeBrowsing()
    const seen: string[] = []
    const history = new StateHistory(browsing, (state) => seen.push(state.search))
    history.push(searching('a'))
    history.replace(searching('ab'))
    history.push(searching('c'))
    history.undo()
    assert.equal(history.state.search, 'ab')
    history.undo()
    assert.equal(history.state.search, '')
    assert.equal(history.canUndo, false)
    history.undo()
    browsing.go(2)
    assert.equal(history.state.search, 'c')
    assert.equal(history.canUndo, true)
    assert.deepEqual(seen, ['ab', '', 'c'])
  })

  test('does not leave the page: undo ends where we began', () => {
    const browsing = new FakeBrowsing('#find=a')
    browsing.back = () => assert.fail('left the page')
    new StateHistory(browsing, () => {}).undo()
  })

  test('follows a hash that the reader types', () => {
    const browsing = new FakeBrowsing()
    const history = new StateHistory(browsing, () => {})
    history.push(searching('a'))
    browsing.entries.push({ entry: null, hash: '#find=typed' })
    browsing.go(1)
    assert.equal(history.state.search, 'typed')
  })

  test('believes the hash rather than an entry of someone else', () => {
    for (const entry of [null, 7, { at: 'x' }, { at: 1, state: {} }, { at: 3, state: searching('other') }]) {
      const history = new StateHistory(new FakeBrowsing('#find=mine', entry), () => {})
      assert.deepEqual([history.state.search, history.canUndo], ['mine', false])
    }
  })

  test('remembers after a reload how many steps lie behind', () => {
    const history = new StateHistory(new FakeBrowsing('#find=a', { at: 2, state: searching('a') }), () => {})
    assert.equal(history.canUndo, true)
  })

  test('keeps a state whose names are too long for an address', () => {
    const browsing = new FakeBrowsing()
    const history = new StateHistory(browsing, () => {})
    const pivot = 'x'.repeat(200_000)
    history.push({ ...INITIAL_STATE, pivot })
    history.push(searching('a'))
    history.undo()
    assert.equal(history.state.pivot, pivot)
  })
})
