import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLasting, MappedFiles } from '../../../src/process/mapped-files.ts'

describe('mapped files', () => {
  it('are one object each, however often they are mapped', () => {
    const files = new MappedFiles()
    assert.equal(files.of('/a', 'ab', 0, ''), files.of('/a', 'ab', 0, ''))
    assert.equal(files.of('/a', '', 7, 'fd:00'), files.of('/a', '', 7, 'fd:00'))
  })

  it('are others with another path, build id, inode or device', () => {
    const files = new MappedFiles()
    const all = [
      files.of('/a', 'ab', 0, ''),
      files.of('/b', 'ab', 0, ''),
      files.of('/a', 'cd', 0, ''),
      files.of('/a', '', 7, 'fd:00'),
      files.of('/a', '', 8, 'fd:00'),
      files.of('/a', '', 7, 'fd:01'),
    ]
    assert.equal(new Set(all).size, all.length)
  })

  it('last where the kernel told a build id or an inode', () => {
    const files = new MappedFiles()
    assert.equal(isLasting(files.of('/a', 'ab', 0, '')), true)
    assert.equal(isLasting(files.of('/a', '', 7, 'fd:00')), true)
    assert.equal(isLasting(files.of('/a', '', 0, '')), false)
  })

  it('are bounded, of one path and in all, and what was forgotten is made anew', () => {
    const files = new MappedFiles()
    const first = files.of('/memfd:jit', '', 1, '00:01')
    for (let inode = 2; inode < 200; inode++) files.of('/memfd:jit', '', inode, '00:01')
    assert.notEqual(files.of('/memfd:jit', '', 1, '00:01'), first)
    const other = files.of('/a', 'ab', 0, '')
    for (let i = 0; i < 20_000; i++) files.of(`/tmp/${i}`, 'ab', 0, '')
    const again = files.of('/a', 'ab', 0, '')
    assert.notEqual(again, other)
    assert.deepEqual(again, other)
  })
})
