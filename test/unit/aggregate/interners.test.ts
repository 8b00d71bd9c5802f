import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FrameId, FrameInterner } from '../../../src/aggregate/frame-interner.ts'
import { NO_PARENT, type NodeId, StackInterner } from '../../../src/aggregate/stack-interner.ts'

const LIMIT = 2 ** 26

describe('FrameInterner', () => {
  it('gives ids from 0 on, one for each executable and address', () => {
    const frames = new FrameInterner()
    const ids = [
      frames.intern(0, -4096, 'kernel'),
      frames.intern(3, 4096, 'native'),
      frames.intern(7, 4096, 'jit'),
      frames.intern(3, 4096, 'native'),
      frames.intern(0, -4096, 'kernel'),
    ]
    assert.deepEqual(ids, [0, 1, 2, 1, 0])
    assert.deepEqual(frames.toTable(), {
      executable: Int32Array.of(0, 3, 7),
      address: Float64Array.of(-4096, 4096, 4096),
      kind: ['kernel', 'native', 'jit'],
    })
  })

  it('keeps neighbouring addresses apart up to 2^53', () => {
    const frames = new FrameInterner()
    assert.equal(frames.intern(0, 2 ** 53 - 1, 'native'), 0)
    assert.equal(frames.intern(0, 2 ** 53 - 2, 'native'), 1)
  })
})

describe('StackInterner', () => {
  const frame = (id: number) => id as FrameId

  it('gives one node to equal parent and frame', () => {
    const stacks = new StackInterner()
    const root = stacks.child(NO_PARENT, frame(5))
    assert.equal(stacks.child(NO_PARENT, frame(5)), root)
    const child = stacks.child(root, frame(5))
    assert.notEqual(child, root)
    assert.equal(stacks.child(root, frame(5)), child)
    assert.deepEqual(stacks.toTable(), { parent: Int32Array.of(-1, 0), location: Int32Array.of(5, 5) })
  })

  it('keeps pairs apart whose parts swap or are the largest', () => {
    const stacks = new StackInterner()
    const pairs = [
      [1, 2],
      [2, 1],
      [0, LIMIT - 1],
      [1, 0],
      [LIMIT - 2, LIMIT - 1],
      [LIMIT - 2, LIMIT - 2],
      [LIMIT - 3, LIMIT - 1],
    ] as const
    const ids = pairs.map(([parent, id]) => stacks.child(parent as NodeId, frame(id)))
    assert.deepEqual(ids, [0, 1, 2, 3, 4, 5, 6])
  })

  it('refuses a frame id that would not pack exactly', () => {
    assert.throws(() => new StackInterner().child(NO_PARENT, frame(LIMIT)), RangeError)
  })
})
