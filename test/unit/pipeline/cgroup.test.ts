import assert from 'node:assert/strict'
import { existsSync, fstatSync } from 'node:fs'
import { describe, it } from 'node:test'
import { withCgroups } from '../../../src/pipeline/cgroup.ts'

const v2 = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(`${path}/cgroup.procs`))
const isV2 = v2 !== undefined && existsSync(`${v2}/cgroup.controllers`)

describe('withCgroups', () => {
  it('gives no descriptor without a cgroup', () => {
    assert.deepEqual(
      withCgroups([], (fds) => fds),
      [],
    )
  })

  it('refuses a directory of another file system, by its name', () => {
    assert.throws(() => withCgroups(['/tmp'], () => 0), {
      code: 'usage',
      message: /^cannot filter by \/tmp: /,
    })
  })

  it('refuses one that is not there', () => {
    assert.throws(() => withCgroups(['/sys/fs/cgroup/no-such'], () => 0), {
      code: 'target_not_found',
      message: /\/sys\/fs\/cgroup\/no-such: ENOENT/,
    })
  })

  it('opens directories and closes them behind the user, also after a fault', {
    skip: isV2 ? false : 'no cgroup v2 here',
  }, () => {
    let open: readonly number[] = []
    assert.throws(
      () =>
        withCgroups([v2!, v2!], (fds) => {
          open = fds
          assert.ok(fds.every((fd) => fstatSync(fd).isDirectory()))
          throw new Error('mine')
        }),
      { message: 'mine' },
    )
    assert.equal(open.length, 2)
    for (const fd of open) assert.throws(() => fstatSync(fd), { code: 'EBADF' })
  })
})
