import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statSync,
} from 'node:fs'
import { cpus } from 'node:os'
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

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
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

describe('a session without end', { skip: needsRoot }, () => {
  it('forgets its stacks between two drains: ids begin at 0, and all are described again', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({}, async (sampler) => {
        sampler.addTarget(child.pid!)
        sampler.start()
        for (let window = 0; window < 3; window++) {
          let first = sampler.drain()
          // A stack may wait for its unwind table first.
          for (let i = 0; i < 500 && first.newStackPid.length === 0; i++) {
            await sleep(20)
            first = sampler.drain()
          }
          assert.equal(first.firstNewStack, 0)
          assert.ok(first.newStackPid.length > 0, 'a busy loop has a stack in each window')
          await sleep(50)
          assert.equal(sampler.drain().firstNewStack, first.newStackPid.length)
          sampler.forgetStacks()
        }
      })
    })
  })

  it('tells start and cgroup of the process of each sample', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({}, async (sampler) => {
        sampler.addTarget(child.pid!)
        sampler.start()
        await captures(sampler, 10)
        sampler.stop()
        const { processStartNs, cgroupId, pid } = sampler.drain()
        const ticks = Number(readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19])
        assert.ok(pid.length >= 10)
        assert.ok(processStartNs.every((startNs) => Math.floor(startNs / 1e7) === ticks))
        assert.ok(cgroupId.every((id) => Number.isSafeInteger(id) && id > 0 && id === cgroupId[0]))
      })
    })
  })

  it('changes its rate while it runs: the new ticks are as many as asked', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({ rateHz: 49 }, async (sampler) => {
        sampler.addTarget(child.pid!)
        sampler.start()
        const ticksIn = async (ms: number) => {
          const before = countersOf(sampler).ticks!
          const startNs = bootTimeNs()
          await sleep(ms)
          return (countersOf(sampler).ticks! - before) / ((bootTimeNs() - startNs) / 1e9)
        }
        const slow = await ticksIn(500)
        sampler.setRate(490)
        const fast = await ticksIn(500)
        sampler.setRate(49)
        const slowAgain = await ticksIn(500)
        assert.ok(fast / slow > 7 && fast / slow < 13, `${slow} ticks a second, then ${fast}`)
        assert.ok(fast / slowAgain > 7 && fast / slowAgain < 13, `${fast} ticks a second, then ${slowAgain}`)
      })
    })
  })

  it('refuses a rate that is none', async () => {
    await withSampler({}, (sampler) => {
      for (const rate of [0, 1000, 1.5, Number.NaN, '99', undefined])
        assert.throws(() => sampler.setRate(rate as number), RangeError, String(rate))
    })
  })

  it('times one run in sixteen, of those too that take no sample', async () => {
    await withSampler({ rateHz: 999, byPid: true }, async (sampler) => {
      sampler.start()
      for (let i = 0; i < 200 && countersOf(sampler).ticks! < 1600; i++) await sleep(20)
      sampler.stop()
      const { ticks, timed_runs, timed_ns, captured } = countersOf(sampler)
      assert.equal(captured, 0)
      assert.ok(Math.abs(timed_runs! - ticks! / 16) <= cpus().length, `${timed_runs} of ${ticks} runs`)
      const nsPerRun = timed_ns! / timed_runs!
      assert.ok(nsPerRun > 5 && nsPerRun < 50_000, `${nsPerRun} ns a run`)
    })
  })

  it('says how full its rings were', async () => {
    await withChild(BUSY, async (child) => {
      await withSampler({}, async (sampler) => {
        assert.deepEqual(sampler.drainedBytes, { samples: 0, rawStacks: 0 })
        sampler.addTarget(child.pid!)
        sampler.start()
        await captures(sampler, 10)
        const rows = sampler.drain().stack.length
        assert.ok(sampler.drainedBytes.samples >= rows * (8 + 64))
        sampler.stop()
        sampler.drain()
        sampler.drain()
        assert.equal(sampler.drainedBytes.samples, 0)
      })
    })
  })
})

describe('filters', { skip: needsRoot }, () => {
  /** Names of the threads that were sampled, with two busy children of these names. */
  async function sampledComms(options: Partial<SamplerOptions>): Promise<string[]> {
    const loop = 'while :; do :; done'
    const bash = (name: string) => ['bash', '-c', `printf ${name} > /proc/self/comm; ${loop}`]
    const comms = new Set<string>()
    await withChild(bash('first_filtered'), async () => {
      await withChild(bash('second_one'), async () => {
        await sleep(100)
        await withSampler({ byPid: false, ...options }, async (sampler) => {
          sampler.start()
          for (let i = 0; i < 30; i++) {
            await sleep(20)
            for (const comm of sampler.drain().comms) comms.add(comm)
          }
        })
      })
    })
    return [...comms].sort()
  }

  it('let threads of any of the names through, and no others', async () => {
    assert.deepEqual(await sampledComms({ comms: ['second_one', 'no_such', 'first_filtered'] }), [
      'first_filtered',
      'second_one',
    ])
  })

  it('compare the first 15 bytes of a name', async () => {
    assert.deepEqual(await sampledComms({ comms: ['second_onesecond_one', 'first_filteredX'] }), [])
  })

  it('must all hold: a name and a pid namespace that is not ours', async () => {
    const own = Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))![0])
    assert.deepEqual(await sampledComms({ comms: ['second_one'], pidNamespaces: [own - 1] }), [])
    assert.deepEqual(await sampledComms({ comms: ['second_one'], pidNamespaces: [own - 1, own] }), [
      'second_one',
    ])
  })

  it('take the innermost pid namespace of a process', async (t) => {
    if (spawnSync('unshare', ['-pf', 'true']).status !== 0)
      return t.skip('unshare may make no pid namespace here')
    const script =
      'readlink /proc/self/ns/pid_for_children; printf inside_ns > /proc/self/comm; while :; do :; done'
    const child = spawn('unshare', ['-pf', 'bash', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    const [text] = (await once(child.stdout!, 'data')) as [Buffer]
    const inode = Number(/\d+/.exec(text.toString())![0])
    try {
      const comms = await sampledComms({ pidNamespaces: [inode] })
      assert.deepEqual(comms, ['inside_ns'])
    } finally {
      for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGKILL')
      await once(child, 'exit')
    }
  })

  it('take several cgroups, of which one must hold the thread', async (t) => {
    const root = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) =>
      existsSync(`${path}/cgroup.procs`),
    )
    if (!root) return t.skip('no cgroup v2 here')
    const paths = ['one', 'two', 'three'].map((name) => `${root}/emberscope-${process.pid}-${name}`)
    try {
      for (const path of paths) mkdirSync(path)
    } catch {
      return t.skip('no cgroup can be made here')
    }
    const fds = paths.map((path) => openSync(path, 'r'))
    const children = paths.map((path) =>
      spawn('bash', ['-c', `echo $$ > ${path}/cgroup.procs; while :; do :; done`], { stdio: 'ignore' }),
    )
    try {
      await sleep(200)
      await withSampler({ byPid: false, cgroupFds: [fds[0]!, fds[2]!] }, async (sampler) => {
        sampler.start()
        await sleep(600)
        sampler.stop()
        const { pid, cgroupId } = sampler.drain()
        assert.deepEqual(new Set(pid), new Set([children[0]!.pid, children[2]!.pid]))
        const inodes = new Set([paths[0]!, paths[2]!].map((path) => statSync(path).ino))
        assert.deepEqual(new Set(cgroupId), inodes)
      })
    } finally {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
      for (const fd of fds) closeSync(fd)
      await sleep(50)
      for (const path of paths) rmdirSync(path)
    }
  })
})
