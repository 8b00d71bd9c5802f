/** Every way in which a configuration file changes is noticed, once. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigWatch } from '../../../src/agent/config-watch.ts'

function temporary(): string {
  return mkdtempSync(join(tmpdir(), 'emberscope-watch-'))
}

/** The next change of `path` after `change`; `pollMs` far away tests the watch alone. */
async function noticed(path: string, change: () => void, pollMs: number): Promise<number> {
  let count = 0
  let tell = () => {}
  const seen = new Promise<void>((resolve) => (tell = resolve))
  const watch = new ConfigWatch(
    path,
    () => {
      count++
      tell()
    },
    pollMs,
  )
  // Both timers of the watch are unreferenced.
  const alive = setInterval(() => {}, 1000)
  try {
    change()
    await seen
    await new Promise((resolve) => setTimeout(resolve, 300))
    return count
  } finally {
    clearInterval(alive)
    watch.close()
    watch.close()
  }
}

describe('a change of the file', () => {
  const NEVER = 3_600_000
  it('written in place, several times at once, is one', async () => {
    const path = join(temporary(), 'a.yaml')
    writeFileSync(path, 'rate: 1')
    const write = () => {
      for (const n of [22, 333]) writeFileSync(path, `rate: ${n}`)
    }
    assert.equal(await noticed(path, write, NEVER), 1)
  })
  it('replaced, as editors do', async () => {
    const directory = temporary()
    const path = join(directory, 'a.yaml')
    writeFileSync(path, 'rate: 1')
    const replace = () => {
      writeFileSync(join(directory, 'b'), 'rate: 2')
      renameSync(join(directory, 'b'), path)
    }
    assert.equal(await noticed(path, replace, NEVER), 1)
  })
  it('that a signal had read already is none', async () => {
    const path = join(temporary(), 'a.yaml')
    writeFileSync(path, 'rate: 1')
    let count = 0
    const watch = new ConfigWatch(path, () => count++, 50)
    const alive = setInterval(() => {}, 1000)
    writeFileSync(path, 'rate: 22')
    watch.noteRead()
    await new Promise((resolve) => setTimeout(resolve, 300))
    clearInterval(alive)
    watch.close()
    assert.equal(count, 0)
  })
  it('made where there was none', async () => {
    const path = join(temporary(), 'a.yaml')
    assert.equal(await noticed(path, () => writeFileSync(path, 'rate: 2'), NEVER), 1)
  })
  for (const [way, pollMs] of [
    ['by the watch', NEVER],
    ['by the poll, through a link further up', 50],
  ] as const)
    it(`a ConfigMap's link swapped, noticed ${way}`, async () => {
      const directory = temporary()
      for (const [version, text] of [
        ['1', 'rate: 1'],
        ['2', 'rate: 22'],
      ] as const) {
        mkdirSync(join(directory, `..${version}`))
        writeFileSync(join(directory, `..${version}`, 'agent.yaml'), text)
      }
      symlinkSync('..1', join(directory, '..data'))
      symlinkSync('..data/agent.yaml', join(directory, 'agent.yaml'))
      const outer = temporary()
      symlinkSync(join(directory, 'agent.yaml'), join(outer, 'agent.yaml'))
      const path = pollMs === NEVER ? join(directory, 'agent.yaml') : join(outer, 'agent.yaml')
      const swap = () => {
        symlinkSync('..2', join(directory, '..new'))
        renameSync(join(directory, '..new'), join(directory, '..data'))
      }
      assert.equal(await noticed(path, swap, pollMs), 1)
    })
  it('taken away, is none; back with other content, is one', async () => {
    const path = join(temporary(), 'a.yaml')
    writeFileSync(path, 'rate: 1')
    const change = () => {
      rmSync(path)
      setTimeout(() => writeFileSync(path, 'rate: 2'), 400)
    }
    assert.equal(await noticed(path, change, NEVER), 1)
  })
})
