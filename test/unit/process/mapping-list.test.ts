import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MappingList, type TimedMapping } from '../../../src/process/mapping-list.ts'

function mapping(start: number, end: number, path = '/a', sinceNs = 0): TimedMapping {
  return { start, end, fileOffset: 0, file: { path, buildId: '', inode: 1, device: 'fd:00' }, sinceNs }
}

describe('a list of mappings', () => {
  it('finds what it grew by, beyond its first room', () => {
    const list = new MappingList([])
    for (let i = 1; i <= 100; i++) list.push(mapping(i * 0x1000, i * 0x1000 + 0x800, `/${i}`))
    const find = list.finder(1)
    assert.deepEqual([find(0x1000)?.file.path, find(64 * 0x1000)?.file.path], ['/1', '/64'])
    assert.deepEqual([find(0x1800), find(0xfff)], [null, null])
    assert.equal(list.length, 100)
  })

  it('gives the newest that shares an address with a range', () => {
    const list = new MappingList([mapping(0x1000, 0x3000, '/old'), mapping(0x2000, 0x4000, '/new')])
    assert.equal(list.overlapping(0x2800, 0x2900)?.file.path, '/new')
    assert.equal(list.overlapping(0x1000, 0x2000)?.file.path, '/old')
    assert.equal(list.overlapping(0x4000, 0x5000), undefined)
  })

  it('is not changed by what its copy gets', () => {
    const list = new MappingList([mapping(0x1000, 0x2000)])
    const copy = list.copy()
    copy.push(mapping(0x2000, 0x3000, '/b'))
    assert.equal(list.finder(1)(0x2000), null)
    assert.equal(copy.finder(1)(0x2000)?.file.path, '/b')
  })

  it('keeps addresses of the whole 47 bits', () => {
    const list = new MappingList([mapping(0x7fff_ffff_e000, 0x7fff_ffff_f000)])
    assert.equal(list.finder(1)(0x7fff_ffff_efff)?.start, 0x7fff_ffff_e000)
    assert.equal(list.finder(1)(0x7fff_ffff_f000), null)
  })
})
