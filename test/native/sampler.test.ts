import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { loadAddon, packageRoot } from '../../src/native/addon.ts'
import type { NativeSampler, SamplerOptions } from '../../src/native/sampler.ts'
import { needsRoot, OPTIONS } from './sampler-options.ts'

const { Sampler, abi, bootTimeNs } = loadAddon()
const BUSY = ['sh', '-c', 'while :; do :; done']

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

async function withSampler(
  options: Partial<SamplerOptions>,
  use: (sampler: NativeSampler) => void | Promise<void>,
): Promise<void> {
  const sampler = new Sampler({ ...OPTIONS, ...options })
  try {
    await use(sampler)
  } finally {
    sampler.close()
  }
}

async function withChild(command: string[], use: (child: ChildProcess) => Promise<void>): Promise<void> {
  const child = spawn(command[0]!, command.slice(1), { stdio: 'ignore' })
  await once(child, 'spawn')
  try {
    await use(child)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}

function countersOf(sampler: NativeSampler): Record<string, number> {
  return Object.fromEntries([...sampler.counters()].map((value, i) => [abi.counters[i]!, value]))
}

/** Waits, on a loaded machine too, until this many samples were taken. */
async function captures(sampler: NativeSampler, samples: number): Promise<void> {
  for (let i = 0; i < 1000 && countersOf(sampler).captured! < samples; i++) await sleep(20)
}

describe('lifetime', { skip: needsRoot }, () => {
  it('closes everything it opened, also when it was never started, and twice', () => {
    new Sampler(OPTIONS).close() // what libbpf keeps for good is open now
    const before = openDescriptors()
    const sampler = new Sampler(OPTIONS)
    assert.ok(openDescriptors() > before)
    sampler.close()
    sampler.close()
    assert.equal(openDescriptors(), before)
  })

  it('refuses every call after close with the code sampler_closed', () => {
    const sampler = new Sampler(OPTIONS)
    sampler.close()
    const calls = [
      () => sampler.event,
      () => sampler.addTarget(1),
      () => sampler.start(),
      () => sampler.stop(),
      () => sampler.drain(),
      () => sampler.drainEvents(),
      () => sampler.counters(),
      () => sampler.bpfStats(),
      () => sampler.unwindStats(),
      () => sampler.unwinder,
      () => sampler.waitingStacks,
      () => sampler.drainedBytes,
      () => sampler.setRate(99),
      () => sampler.forgetStacks(),
    ]
    for (const call of calls) assert.throws(call, { code: 'sampler_closed' }, String(call))
  })

  it('stops twice, and drains after it', async () => {
    await withSampler({}, (sampler) => {
      sampler.start()
      sampler.stop()
      sampler.stop()
      assert.equal(sampler.drain().stack.length, 0)
    })
  })

  it('ends with its worker thread, sampling or not', async () => {
    const addon = JSON.stringify(`${packageRoot()}/build/Release/addon.node`)
    const program = `const { Sampler } = require(${addon})
      globalThis.sampler = new Sampler(${JSON.stringify({ ...OPTIONS, byPid: false })})
      sampler.start(); setInterval(() => sampler.drain(), 10)
      require('node:worker_threads').parentPort.postMessage('ready')`
    const run = async (): Promise<void> => {
      const worker = new Worker(program, { eval: true })
      await once(worker, 'message')
      await sleep(50)
      await worker.terminate()
    }
    await run()
    const before = openDescriptors()
    await run()
    await run()
    assert.equal(openDescriptors(), before)
  })
})

describe('targets', { skip: needsRoot }, () => {
  it('are positive integers', async () => {
    await withSampler({}, (sampler) => {
      for (const pid of [undefined, null, '1', 0, -1, {}, Number.NaN, 1n])
        assert.throws(() => sampler.addTarget(pid as number), TypeError, String(pid))
    })
  })

  it('are at most 65 536', async () => {
    await withSampler({}, (sampler) => {
      for (let pid = 1; pid <= 65_536; pid++) sampler.addTarget(5_000_000 + pid)
      sampler.addTarget(5_000_001)
      assert.throws(() => sampler.addTarget(6_000_000), { code: 'usage', message: /pid 6000000/ })
    })
  })
})

describe('samples', { skip: needsRoot }, () => {
  it('are none of an idle target', async () => {
    await withChild(['sleep', '60'], async (child) => {
      await sleep(100) // its start-up is over
      await withSampler({}, async (sampler) => {
        sampler.addTarget(child.pid!)
        sampler.start()
        await sleep(300)
        sampler.stop()
        const batch = sampler.drain()
        assert.equal(batch.stack.length, 0)
        assert.deepEqual([...batch.newStackStart], [0])
        assert.equal(countersOf(sampler).captured, 0)
      })
    })
  })

  it('of a busy child have its pid, its name, times in order, and stacks that exist', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({}, async (sampler) => {
        sampler.addTarget(child.pid!)
        const startNs = bootTimeNs()
        sampler.start()
        await captures(sampler, 40)
        sampler.stop()
        const endNs = bootTimeNs()
        const batch = sampler.drain()
        const rows = batch.stack.length
        assert.ok(rows >= 40, `${rows} samples`)
        assert.ok(batch.pid.every((pid) => pid === child.pid))
        assert.ok(batch.tid.every((tid) => tid === child.pid))
        assert.deepEqual(batch.comms, ['sh'])
        assert.ok(batch.comm.every((comm) => comm === 0))
        assert.ok(batch.timeNs.every((timeNs) => timeNs >= startNs && timeNs <= endNs))
        const stacks = batch.newStackPid.length
        assert.equal(batch.firstNewStack, 0)
        assert.ok(batch.stack.every((stack) => stack >= 0 && stack < stacks))
        assert.equal(batch.newStackStart.at(-1), batch.frames.length)
        for (let j = 0; j < stacks; j++) {
          const frames = batch.frames.subarray(batch.newStackStart[j], batch.newStackStart[j + 1])
          const kernel = batch.newStackKernelFrames[j]!
          assert.ok(frames.length > kernel, 'every stack reaches user space')
          assert.ok(frames.subarray(0, kernel).every((address) => address < 0))
          assert.ok(frames.subarray(kernel).every((address) => address > 0 && address < 2 ** 47))
        }
        const { captured, ring_full, malformed, ticks, discarded } = countersOf(sampler)
        assert.equal(captured, rows)
        assert.deepEqual([ring_full, malformed], [0, 0])
        assert.ok(ticks! > discarded! && discarded! > 0)
        assert.ok(sampler.bpfStats().runs >= ticks!)
      })
    })
  })

  it('describe a stack in one batch only', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({}, async (sampler) => {
        sampler.addTarget(child.pid!)
        sampler.start()
        let described = 0
        for (let turn = 0; turn < 5; turn++) {
          await sleep(60)
          const batch = sampler.drain()
          assert.equal(batch.firstNewStack, described)
          described += batch.newStackPid.length
          assert.ok(batch.stack.every((stack) => stack < described))
        }
      })
    })
  })

  it('of kernel frames are none without kernel stacks', async () => {
    await withChild(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1M'], async (child) => {
      await withSampler({ kernelStacks: false }, async (sampler) => {
        sampler.addTarget(child.pid!)
        sampler.start()
        await captures(sampler, 10)
        sampler.stop()
        const batch = sampler.drain()
        assert.ok(batch.stack.length > 5)
        assert.ok(batch.newStackKernelFrames.every((frames) => frames === 0))
      })
    })
  })

  it('beyond a full ring are counted: captured is what came plus what did not fit', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({ ringBytes: 4096, rateHz: 999 }, async (sampler) => {
        sampler.addTarget(child.pid!)
        sampler.start()
        await captures(sampler, 100)
        sampler.stop()
        const rows = sampler.drain().stack.length
        const { captured, ring_full } = countersOf(sampler)
        assert.ok(ring_full! > 0)
        assert.equal(captured, rows + ring_full!)
      })
    })
  })

  it('go to each of two samplers at once', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({}, async (first) => {
        await withSampler({ rateHz: 499 }, async (second) => {
          for (const sampler of [first, second]) {
            sampler.addTarget(child.pid!)
            sampler.start()
          }
          for (const sampler of [first, second]) {
            await captures(sampler, 10)
            sampler.stop()
            assert.ok(sampler.drain().stack.length > 5)
          }
        })
      })
    })
  })
})
