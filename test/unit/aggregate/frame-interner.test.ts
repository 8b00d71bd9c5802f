import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FrameInterner } from '../../../src/aggregate/frame-interner.ts'

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
