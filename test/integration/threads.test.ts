/** Many threads at the highest rate, and an event loop that stands still: no sample may get lost uncounted. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { capture } from '../../src/pipeline/capture.ts'
import { skipUnless } from '../helpers/host.ts'
import { runProfile, scratchDirectory, total } from '../helpers/profile-run.ts'
import { countWith, namedStacks } from '../helpers/stacks.ts'
import { startTruth, truthProgram } from '../helpers/truth.ts'

/** Kept samples against CPU time: ticks may be late on a busy host, and the last one of a thread is cut off. */
function assertWorth(samples: number, cpuNs: number, rateHz: number): void {
  const expected = (cpuNs / 1e9) * rateHz
  const slack = 5 * Math.sqrt(expected) + 0.01 * expected
  assert.ok(
    Math.abs(samples - expected) < slack,
    `${samples} samples, the CPU time is worth ${expected.toFixed(0)}`,
  )
}

/** CPU time of all threads of a process so far. */
function cpuTimeNs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const times = threads.map(
    (tid) => readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'latin1').split(' ')[0],
  )
  return times.reduce((sum, time) => sum + Number(time), 0)
}

describe('a busy program with many threads', { skip: skipUnless('cc') }, () => {
  it('loses none of 16 threads at 999 Hz', async () => {
    const own = join(scratchDirectory(), 'own.json')
    const program = `exec ${truthProgram('threads')} 16 5 > ${own}`
    const { report, profile } = await runProfile(['-F', '999', '--', 'sh', '-c', program])
    const truth = JSON.parse(readFileSync(own, 'utf8')) as { threads: number }
    assert.equal(total(report.samples.dropped), 0)
    assertWorth(countWith(namedStacks(profile), 'work'), truth.threads, 999)
    const tids = new Set(namedStacks(profile).map(({ labels }) => labels.tid))
    assert.ok(tids.size >= 16, `${tids.size} threads were seen`)
  })

  it('loses nothing of 64-deep stacks while the event loop stands still for 3 s', async () => {
    const threads = cpus().length
    const program = startTruth('threads', String(threads), '60', '61')
    let stall = { startMs: 0, endMs: 0, cpuNs: 0 }
    const standStill = () => {
      if (stall.endMs > 0) return
      const [startMs, cpuNs] = [Date.now(), cpuTimeNs(program.pid)]
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)
      stall = { startMs, endMs: Date.now(), cpuNs: cpuTimeNs(program.pid) - cpuNs }
    }
    try {
      const { profile } = await capture(
        {
          target: { kind: 'pids', name: 'threads', pids: [program.pid] },
          durationMs: 5000,
          rateHz: 999,
          kernelStacks: true,
          cgroupPath: '',
          comm: '',
          source: false,
          stop: new AbortController().signal,
          ended: new Promise(() => {}),
        },
        { onReady: () => {}, onProgress: standStill, onSampled: () => {} },
      )
      const { samples } = profile.capture!
      assert.equal(samples.dropped.ring_full, 0)
      assert.equal(samples.captured, samples.kept)
      const startMs = Number(profile.timeNs / 1_000_000n)
      const inStall = profile.samples.timeNs!.filter(
        (timeNs) => startMs + timeNs / 1e6 > stall.startMs && startMs + timeNs / 1e6 < stall.endMs,
      )
      assertWorth(inStall.length, stall.cpuNs, 999)
      const depth = namedStacks(profile).map(({ frames }) => frames.length)
      assert.ok(Math.max(...depth.slice(0, 1000)) >= 64, 'the stacks are 64 deep')
    } finally {
      await program.stop()
    }
  })
})
