/** `profile --last` and the agent's page with the real agent: what was recorded comes out as a profile of the whole host. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { decodePprof } from '../../src/pprof/decode.ts'
import { readRecord } from '../../src/server/agent-record.ts'
import { endAgents, startAgent } from '../helpers/agent-run.ts'
import { startBusy } from '../helpers/busy-process.ts'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, scratchDirectory } from '../helpers/profile-run.ts'

const busy = startBusy('busy-last')
after(() => {
  busy.kill('SIGKILL')
  endAgents()
})

describe('profile --last', { skip: skipUnless() }, () => {
  it('reads what the running agent recorded, and nothing once it has ended', async () => {
    const agent = startAgent([])
    const run = join(agent.directory, 'run')
    await agent.address()
    const record = readRecord(run)!
    assert.equal(record.pid, agent.pid)
    assert.equal(statSync(record.socket).mode & 0o777, 0o600)
    const { pathname } = new URL(record.url)
    for (;;) {
      const { windows } = JSON.parse((await agent.request(`${pathname}windows`)).body)
      if (windows.length >= 3) break
      await sleep(200)
    }
    const cwd = scratchDirectory()
    const env = { EMBERSCOPE_RUN_DIR: run }
    const last = await runCommand(['--last', '1m', '-o', 'x.pb.gz', '-o', 'x.html', '--no-open'], {
      cwd,
      env,
    })
    assert.equal(last.status, 0, last.stderr)
    assert.match(last.stdout, /^all processes of /)
    assert.match(last.stderr, /remembers less than that/)
    const profile = decodePprof(gunzipSync(readFileSync(join(cwd, 'x.pb.gz'))))
    const pids = new Set(
      profile.labelSets.flat().map((label) => (label.key === 'pid' ? Number(label.num) : 0)),
    )
    assert.ok(pids.has(busy.pid), 'the busy process is in it')
    const page = await agent.request(pathname)
    assert.deepEqual([page.status, /data-live/.test(page.body)], [200, true])
    assert.equal((await agent.request('/windows')).status, 404)
    assert.equal(await agent.end(), 0)
    assert.equal(readRecord(run), null)
    const gone = await runCommand(['--last', '1m'], { cwd, env })
    assert.equal(gone.status, 4)
    assert.match(gone.stderr, /no agent runs here/)
  })
})
