import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { withDescendants } from '../../../src/process/descendants.ts'

describe('withDescendants', () => {
  let shell: ChildProcessWithoutNullStreams
  /** The shell, its child shell and the sleep below that. */
  let family: number[]

  before(async () => {
    shell = spawn('sh', ['-c', 'sh -c \'sleep 60 & echo "$$ $!"; wait\' & wait'], { detached: true })
    const [line] = (await once(shell.stdout, 'data')) as [Buffer]
    family = [shell.pid!, ...line.toString().trim().split(' ').map(Number)].sort((a, b) => a - b)
  })
  after(async () => {
    process.kill(-shell.pid!, 'SIGKILL')
    await once(shell, 'exit')
  })

  it('finds children and grandchildren, ascending and once each', () => {
    assert.deepEqual(withDescendants([shell.pid!], 0), family)
    assert.deepEqual(withDescendants([...family, ...family], 0), family)
  })

  it('leaves out ourselves and what hangs below us', () => {
    const found = withDescendants([process.ppid, shell.pid!], process.pid)
    assert.ok(found.includes(process.ppid))
    assert.ok(!found.includes(process.pid))
    const middle = family.find((pid) => pid !== shell.pid)!
    assert.deepEqual(withDescendants([shell.pid!], middle), [shell.pid])
  })

  it('keeps a pid that is gone, for the caller to judge', () => {
    assert.deepEqual(withDescendants([2 ** 22 + 1], 0), [2 ** 22 + 1])
  })
})
