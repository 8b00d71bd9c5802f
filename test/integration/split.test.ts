/** Shares of a program that measures itself, and its call tree against perf's. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { wilson } from '../../src/stats/interval.ts'
import { skipUnless } from '../helpers/host.ts'
import { perfRecord } from '../helpers/perf.ts'
import { runProfile, scratchDirectory } from '../helpers/profile-run.ts'
import { countStacks, countWith, edgeShares, edgesAbove, namedStacks } from '../helpers/stacks.ts'
import { truthProgram } from '../helpers/truth.ts'

const FUNCTIONS = ['heavy', 'medium', 'light'] as const
/** Two-sided 99.9 %. */
const Z = 3.29

interface SelfMeasured {
  readonly heavy: number
  readonly medium: number
  readonly light: number
}

describe('a 60/30/10 split with frame pointers', { skip: skipUnless('cc', 'perf') }, () => {
  it('is profiled within 99.9 % bounds of its own measurement, and as the tree that perf sees', async () => {
    const own = join(scratchDirectory(), 'own.json')
    const split = truthProgram('split')
    const command = ['sh', '-c', `exec ${split} 10 > ${own}`]
    const { report, profile } = await runProfile(['-F', '199', '--', ...command])
    const truth = JSON.parse(readFileSync(own, 'utf8')) as SelfMeasured

    const stacks = namedStacks(profile)
    const measured = truth.heavy + truth.medium + truth.light
    const samples = countStacks(stacks, ({ frames }) => frames.some(({ name }) => name === 'turn'))
    for (const name of FUNCTIONS) {
      const count = countWith(stacks, name)
      const { low, high } = wilson(count, samples, Z)
      const share = truth[name] / measured
      assert.ok(
        low <= share && share <= high,
        `${name}: ${count} of ${samples} samples give ${low.toFixed(3)} to ${high.toFixed(3)}, it measured ${share.toFixed(3)}`,
      )
    }
    const expected = (measured / 1e9) * 199
    assert.ok(
      Math.abs(samples - expected) < 5 * Math.sqrt(expected),
      `${samples} samples, its CPU time is worth ${expected.toFixed(0)}`,
    )
    assert.ok(report.stacks.complete >= 0.98 * report.samples.kept, JSON.stringify(report.stacks))

    // By tables: by frame pointers perf sees nothing of the C library's start code, which has none.
    const perf = perfRecord(199, [split, '4'], scratchDirectory(), { callGraph: 'dwarf,8192' })
    assert.deepEqual(edgesAbove(edgeShares(stacks), 0.02), edgesAbove(edgeShares(perf.stacks), 0.02))
  })
})
