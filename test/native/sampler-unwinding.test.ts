import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../../src/native/addon.ts'
import type { SamplerOptions, UnwindStats } from '../../src/native/sampler.ts'
import { needsRoot, OPTIONS } from './sampler-options.ts'

const { Sampler, abi, unwinderOfKernel } = loadAddon()

interface Run {
  /** Samples by how their stack ended. */
  readonly ends: Readonly<Record<string, number>>
  readonly samples: number
  readonly captured: number
  readonly stats: UnwindStats
  readonly variant: string
}

/** Samples a process until this many samples were taken. */
async function sample(pid: number, samples: number, options: Partial<SamplerOptions>): Promise<Run> {
  const sampler = new Sampler({ ...OPTIONS, rateHz: 499, ...options })
  const ends: Record<string, number> = {}
  const count = (): number => sampler.counters()[abi.counters.indexOf('captured')]!
  const drain = (): void => {
    for (const end of sampler.drain().stackEnd) {
      const { name } = abi.stackEnds[end]!
      ends[name] = (ends[name] ?? 0) + 1
    }
  }
  try {
    sampler.addTarget(pid)
    sampler.start()
    for (let i = 0; i < 1000 && count() < samples; i++) {
      await sleep(20)
      drain()
    }
    sampler.stop()
    drain()
    const total = Object.values(ends).reduce((sum, n) => sum + n, 0)
    const { unwinder: variant } = sampler
    return { ends, samples: total, captured: count(), stats: sampler.unwindStats(), variant }
  } finally {
    sampler.close()
  }
}

describe('unwinding', { skip: needsRoot }, () => {
  let child: ChildProcess
  const cacheDir = mkdtempSync(join(tmpdir(), 'emberscope-cache-'))
  // dash and libc have no frame pointers.
  before(async () => {
    child = spawn('sh', ['-c', 'while :; do x=$(( (x * 7 + 1) % 1000 )); done'], { stdio: 'ignore' })
    await once(child, 'spawn')
    await sleep(100)
  })
  after(() => {
    child.kill('SIGKILL')
    rmSync(cacheDir, { recursive: true })
  })

  for (const unwinder of ['loop', 'tail-calls'] as const)
    it(`by ${unwinder} gives whole stacks of a program without frame pointers`, async (t) => {
      if (unwinder === 'loop' && unwinderOfKernel() !== 'loop') return t.skip('this kernel has no bpf_loop')
      const { ends, samples, captured, variant, stats } = await sample(child.pid!, 200, { unwinder })
      assert.equal(variant, unwinder)
      assert.equal(samples, captured, 'none is lost on its way through user space')
      assert.ok(ends.root! / samples > 0.98, JSON.stringify(ends))
      assert.ok(stats.raw.finished > 0, 'the first ones were finished in user space')
      assert.ok(stats.raw.finished < samples / 2, 'the later ones were not')
      assert.deepEqual([stats.raw.parked, stats.raw.unmatched, stats.raw.overflowed], [0, 0, 0])
    })

  it('says so when user space may not finish stacks', async () => {
    const { ends, samples } = await sample(child.pid!, 50, { rawStacksPerSecond: 0 })
    assert.deepEqual(ends, { raw_stack_budget: samples })
  })

  it('says so when the ring of raw stacks is full', async () => {
    const { ends, stats } = await sample(child.pid!, 50, { rawRingBytes: 4096 })
    assert.ok(ends.raw_ring_full! > 0, JSON.stringify(ends))
    assert.equal(stats.raw.unmatched, 0)
  })

  it('keeps to its budget of kernel memory', async () => {
    const { stats } = await sample(child.pid!, 50, { byPid: false, kernelBudgetBytes: 1 << 20 })
    assert.ok(stats.tables.shardBytes <= 1 << 20)
    assert.ok(stats.tables.bytesMax <= stats.tables.shardBytes)
    assert.ok(stats.tracker.processes > 1)
  })

  it('takes tables from the cache the second time', async () => {
    const first = await sample(child.pid!, 50, { cacheDir })
    assert.ok(first.stats.loader.parsed > 0)
    const second = await sample(child.pid!, 50, { cacheDir })
    assert.ok(second.stats.loader.fromCache > 0, JSON.stringify(second.stats))
    assert.ok(second.stats.raw.finished <= first.stats.raw.finished)
  })
})
