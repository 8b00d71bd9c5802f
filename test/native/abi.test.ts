import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadAddon, packageRoot } from '../../src/native/addon.ts'
import { UNWIND_STATS } from '../unit/pipeline/unwind-stats.ts'
import { EVENT_KINDS } from '../unit/process/event-batch.ts'
import { needsRoot, OPTIONS } from './sampler-options.ts'

/** Names of the members of an interface in a source file. */
function membersOf(file: string, name: string): string[] {
  const text = readFileSync(join(packageRoot(), file), 'utf8')
  const body = new RegExp(`^export interface ${name} \\{$(.*?)^\\}$`, 'ms').exec(text)?.[1] ?? ''
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)[?(:]/gm)].map(([, member]) => member!)
}

describe('abi', () => {
  const { abi } = loadAddon()

  it('names every end of a stack once, with its quality', () => {
    const names = abi.stackEnds.map((end) => end.name)
    assert.equal(new Set(names).size, names.length)
    assert.deepEqual(
      abi.stackEnds.map(({ name, quality }) => `${name} ${quality}`),
      [
        'root complete',
        'kernel_thread complete',
        'guessed_step approximate',
        'jit truncated',
        'no_unwind_rows truncated',
        'unsupported_row truncated',
        'lost_register truncated',
        'bad_frame_address truncated',
        'bad_return_address truncated',
        'unreadable_stack truncated',
        'depth_limit truncated',
        'compat_32bit truncated',
        'no_user_registers truncated',
        'unknown_process truncated',
        'unknown_mapping truncated',
        'page_not_loaded truncated',
        'raw_stack_budget truncated',
        'raw_ring_full truncated',
        'raw_stack_short truncated',
        'raw_stack_backlog truncated',
      ],
    )
  })

  it('names the counters and the kinds of events that the pipeline asks for', () => {
    assert.equal(abi.version, 4)
    for (const name of [
      'ticks',
      'discarded',
      'captured',
      'ring_full',
      'raw_stacks',
      'targets_full',
      'malformed',
      'captured_ns',
      'timed_runs',
      'timed_ns',
    ])
      assert.ok(abi.counters.includes(name), name)
    assert.deepEqual(abi.eventKinds, EVENT_KINDS)
  })

  it('keeps its clock: CLOCK_BOOTTIME, forwards', () => {
    const { bootTimeNs } = loadAddon()
    const uptimeNs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9
    const first = bootTimeNs()
    assert.ok(Math.abs(first - uptimeNs) < 5e9)
    assert.ok(bootTimeNs() >= first)
  })
})

describe('columns', () => {
  it('are those of the TypeScript interfaces, in their order', { skip: needsRoot }, () => {
    const { Sampler } = loadAddon()
    const sampler = new Sampler(OPTIONS)
    assert.deepEqual(Object.keys(sampler.drain()), membersOf('src/native/sample-batch.ts', 'SampleBatch'))
    assert.deepEqual(
      Object.keys(sampler.drainEvents()),
      membersOf('src/native/sample-batch.ts', 'EventBatch'),
    )
    sampler.close()
  })

  it('of unwinding are those of its interface', { skip: needsRoot }, () => {
    const { Sampler } = loadAddon()
    const sampler = new Sampler(OPTIONS)
    const stats = sampler.unwindStats()
    assert.deepEqual(
      Object.fromEntries(Object.entries(stats).map(([key, value]) => [key, Object.keys(value)])),
      Object.fromEntries(Object.entries(UNWIND_STATS).map(([key, value]) => [key, Object.keys(value)])),
    )
    sampler.close()
  })

  it('have a method for each of the interface', () => {
    const methods = Object.getOwnPropertyNames(loadAddon().Sampler.prototype).filter(
      (name) => name !== 'constructor',
    )
    assert.deepEqual(methods.sort(), membersOf('src/native/sampler.ts', 'NativeSampler').sort())
  })
})
