import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../../src/native/addon.ts'
import type { EventBatch } from '../../src/native/sample-batch.ts'
import type { NativeSampler } from '../../src/native/sampler.ts'
import { needsRoot, OPTIONS } from './sampler-options.ts'

const { Sampler, abi, bootTimeNs } = loadAddon()

/** Rows of a batch as objects. */
function rowsOf(batch: EventBatch) {
  return Array.from(batch.kind, (kind, i) => ({
    kind: abi.eventKinds[kind]!,
    pid: batch.pid[i]!,
    tid: batch.tid[i]!,
    extra: batch.extra[i]!,
    timeNs: batch.timeNs[i]!,
    start: batch.start[i]!,
    end: batch.end[i]!,
    name: batch.name[i]!,
    buildId: batch.buildId[i]!,
  }))
}

/** A drain moves the events too; they are asked for after it. */
function eventsOfDrain(sampler: NativeSampler) {
  sampler.drain()
  return rowsOf(sampler.drainEvents())
}

/** Runs a shell script that waits for a line before it begins; gives its pid and the events of it and its children. */
async function eventsOf(script: string) {
  const sampler: NativeSampler = new Sampler(OPTIONS)
  try {
    const child = spawn('sh', ['-c', `echo; read go; ${script}`], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child.stdout, 'data') // its start-up is over
    sampler.addTarget(child.pid!)
    eventsOfDrain(sampler)
    const startNs = bootTimeNs()
    child.stdin.end('go\n')
    await once(child, 'exit')
    await sleep(50)
    return { pid: child.pid!, startNs, rows: eventsOfDrain(sampler) }
  } finally {
    sampler.close()
  }
}

describe('process events', { skip: needsRoot }, () => {
  it('count 23 forks as 23, each with its parent and its exit', async () => {
    const { pid, rows } = await eventsOf('i=0; while [ $i -lt 23 ]; do (:); i=$((i+1)); done')
    const forks = rows.filter((row) => row.kind === 'fork')
    assert.equal(forks.length, 23)
    assert.ok(forks.every((fork) => fork.extra === pid && fork.tid === fork.pid))
    assert.equal(new Set(forks.map((fork) => fork.pid)).size, 23)
    const exits = rows.filter((row) => row.kind === 'exit' && row.pid !== pid)
    assert.deepEqual(new Set(exits.map((exit) => exit.pid)), new Set(forks.map((fork) => fork.pid)))
    assert.ok(exits.every((exit) => exit.extra === 0))
  })

  it('tell of a new program: its name, then what it maps, with build ids', async () => {
    const { startNs, rows } = await eventsOf('/bin/sleep 0.01; :')
    const exec = rows.findIndex((row) => row.kind === 'exec')
    assert.equal(rows[exec]?.name, 'sleep')
    const maps = rows.filter((row) => row.kind === 'mmap' && row.pid === rows[exec]!.pid)
    const program = maps.find((row) => row.name.endsWith('/sleep'))
    assert.ok(program && program.end > program.start && program.start > 0)
    assert.match(program.buildId, /^[0-9a-f]{40}$/)
    assert.ok(maps.some((row) => /\/libc[.-]/.test(row.name)))
    assert.ok(rows.every((row) => row.timeNs >= startNs && row.timeNs <= bootTimeNs()))
    assert.deepEqual(
      rows.map((row) => row.timeNs),
      rows.map((row) => row.timeNs).sort((a, b) => a - b),
    )
  })

  it('follow grandchildren, and nobody else', async () => {
    const other = spawn('sh', ['-c', 'while :; do (:); done'], { stdio: 'ignore' })
    await once(other, 'spawn')
    try {
      const { pid, rows } = await eventsOf("sh -c '(:); :'; :")
      const family = new Set([pid, ...rows.filter((row) => row.kind === 'fork').map((row) => row.pid)])
      assert.equal(family.size, 3)
      assert.ok(rows.every((row) => family.has(row.pid)))
      assert.ok(!family.has(other.pid!))
    } finally {
      other.kill('SIGKILL')
      await once(other, 'exit')
    }
  })
})
