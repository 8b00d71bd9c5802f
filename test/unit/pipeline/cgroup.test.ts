import assert from 'node:assert/strict'
import { existsSync, fstatSync } from 'node:fs'
import { describe, it } from 'node:test'
import { withCgroup } from '../../../src/pipeline/cgroup.ts'

const v2 = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(`${path}/cgroup.procs`))
const isV2 = v2 !== undefined && existsSync(`${v2}/cgroup.controllers`)

describe('withCgroup', () => {
  it('gives 0 without a cgroup', () => {
    assert.equal(
      withCgroup('', (fd) => fd),
      0,
    )
  })

  it('refuses a directory of another file system, by its name', () => {
    assert.throws(() => withCgroup('/tmp', () => 0), { code: 'usage', message: /^cannot filter by \/tmp: / })
  })

  it('refuses one that is not there', () => {
    assert.throws(() => withCgroup('/sys/fs/cgroup/no-such', () => 0), {
      code: 'target_not_found',
      message: /\/sys\/fs\/cgroup\/no-such: ENOENT/,
    })
  })

  it('opens a directory and closes it behind the user, also after a fault', {
    skip: isV2 ? false : 'no cgroup v2 here',
  }, () => {
    let open = -1
    assert.throws(
      () =>
        withCgroup(v2!, (fd) => {
          open = fd
          assert.ok(fstatSync(fd).isDirectory())
          throw new Error('mine')
        }),
      { message: 'mine' },
    )
    assert.throws(() => fstatSync(open), { code: 'EBADF' })
  })
})
