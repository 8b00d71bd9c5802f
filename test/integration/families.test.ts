/** Children, exec chains and programs that end before the profile does: sampled from the start and named. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { skipUnless } from '../helpers/host.ts'
import { runProfile, scratchDirectory, total } from '../helpers/profile-run.ts'
import { countStacks, countWith, type NamedStack, namedStacks } from '../helpers/stacks.ts'
import { startTruth, truthProgram } from '../helpers/truth.ts'

const RATE_HZ = 199

/** Processes that were sampled inside a function. */
function pidsIn(stacks: readonly NamedStack[], name: string): Set<string | number> {
  const inside = stacks.filter(({ frames }) => frames.some((frame) => frame.name === name))
  return new Set(inside.map(({ labels }) => labels.pid!))
}

function assertMost(count: number, cpuNs: number, what: string): void {
  const expected = (cpuNs / 1e9) * RATE_HZ
  assert.ok(
    Math.abs(count - expected) < 5 * Math.sqrt(expected),
    `${count} ${what}, their CPU time is worth ${expected.toFixed(0)}`,
  )
}

describe('families of processes', { skip: skipUnless('cc') }, () => {
  it('samples every child of a launched command from its first instruction', async () => {
    const own = join(scratchDirectory(), 'own.json')
    const command = `${truthProgram('families')} server 30 50 > ${own}; true`
    const { report, profile } = await runProfile(['-F', String(RATE_HZ), '--', 'sh', '-c', command])
    const truth = JSON.parse(readFileSync(own, 'utf8')) as { total: number }
    const stacks = namedStacks(profile)
    assert.equal(pidsIn(stacks, 'child_burn').size, 30)
    assertMost(countWith(stacks, 'child_burn'), truth.total, 'samples in the children')
    assert.equal(total(report.samples.dropped), 0)
  })

  it('samples the children that an attached process has while it is watched', async () => {
    const server = startTruth('families', 'server', '1000', '50')
    try {
      const { profile } = await runProfile(['-F', String(RATE_HZ), '-d', '3', String(server.pid)])
      const stacks = namedStacks(profile)
      const burning = countWith(stacks, 'child_burn')
      const pids = pidsIn(stacks, 'child_burn')
      assert.ok(pids.size >= 4, `${pids.size} children were seen`)
      assert.ok(burning / pids.size > 5, `${burning} samples in ${pids.size} children of 10 samples each`)
      assert.ok(countWith(stacks, 'serve') >= 0.9 * burning, 'a child shows its caller')
    } finally {
      await server.stop()
    }
  })

  it('names every step of a chain of execs', async () => {
    const chain = [truthProgram('families'), 'chain', '4', '250']
    const { report, profile } = await runProfile(['-F', String(RATE_HZ), '--', ...chain])
    const stacks = namedStacks(profile)
    assertMost(countWith(stacks, 'stage_burn'), 4 * 250e6, 'samples in the steps')
    const steps = stacks.filter(({ frames }) => frames.some(({ name }) => name === 'stage_burn'))
    assert.ok(
      steps.every(({ frames }) => frames.every(({ isNamed }) => isNamed)),
      'a step without a name',
    )
    // The dynamic linker has no symbols for its own functions: samples of an exec may show it.
    assert.deepEqual(
      Object.keys(report.frames.unnamed).filter((reason) => reason !== 'no_symbols'),
      [],
    )
  })

  it('keeps the names of a process that ended before the profile did', async () => {
    const command = `${truthProgram('families')} chain 1 300 > /dev/null; sleep 1`
    const { report, profile } = await runProfile(['-F', String(RATE_HZ), '--', 'sh', '-c', command])
    assertMost(countWith(namedStacks(profile), 'stage_burn'), 300e6, 'samples in the process that ended')
    assert.ok(report.duration_ns > 1.2e9)
  })

  it('names a library that is loaded while the program runs', async () => {
    const command = [truthProgram('loader'), truthProgram('plugin.so'), '1', '0.5']
    const { profile } = await runProfile(['-F', String(RATE_HZ), '--', ...command])
    const inPlugin = namedStacks(profile).filter(({ frames }) => frames.at(-1)?.name === 'plugin_burn')
    assert.ok(countStacks(inPlugin) > 50, `${countStacks(inPlugin)} samples in the library`)
    assert.ok(inPlugin.every(({ frames }) => frames.some(({ name }) => name === 'main')))
    assert.ok(inPlugin.every(({ frames }) => frames.at(-1)!.module === 'plugin.so'))
  })
})
