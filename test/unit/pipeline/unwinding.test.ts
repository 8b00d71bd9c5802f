import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cacheDirectory, unwindOptions } from '../../../src/pipeline/unwinding.ts'

describe('the cache of unwind tables', () => {
  it('lies where the environment says, or nowhere', () => {
    assert.equal(cacheDirectory({ EMBERSCOPE_CACHE_DIR: '/x', HOME: '/home/u' }, 0), '/x')
    assert.equal(cacheDirectory({ EMBERSCOPE_CACHE_DIR: '' }, 0), '')
  })

  it("is the system's for root, also under sudo", () => {
    assert.equal(cacheDirectory({ HOME: '/home/u', SUDO_UID: '1000' }, 0), '/var/cache/emberscope')
  })

  it('is the cache directory of any other user', () => {
    assert.equal(cacheDirectory({ XDG_CACHE_HOME: '/c', HOME: '/home/u' }, 1000), '/c/emberscope')
    assert.equal(cacheDirectory({ XDG_CACHE_HOME: 'c', HOME: '/home/u' }, 1000), '/home/u/.cache/emberscope')
    assert.equal(cacheDirectory({ HOME: '' }, 1000), '')
    assert.equal(cacheDirectory({}, 1000), '')
  })
})

describe('the variant of the unwinder', () => {
  it('is chosen by the kernel unless the environment forces one', () => {
    assert.equal(unwindOptions({}, 0).unwinder, 'auto')
    assert.equal(unwindOptions({ EMBERSCOPE_UNWINDER: 'tail-calls' }, 0).unwinder, 'tail-calls')
  })

  it('is refused when there is no such one', () => {
    assert.throws(() => unwindOptions({ EMBERSCOPE_UNWINDER: 'tail' }, 0), {
      code: 'usage',
      message: 'EMBERSCOPE_UNWINDER is "tail"; it can be auto, loop, tail-calls',
    })
  })
})
