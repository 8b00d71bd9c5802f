/** Time spent inside the kernel: its frames on top of the user stack that called it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, runProfile } from '../helpers/profile-run.ts'
import { countStacks, countWith, namedStacks } from '../helpers/stacks.ts'
import { startTruth } from '../helpers/truth.ts'

describe('a program that is busy inside the kernel', { skip: skipUnless('cc') }, () => {
  it('shows named kernel frames on top of its user stack', async () => {
    const program = startTruth('kernel', '30')
    try {
      const { profile, folded } = await runProfile(['-d', '2', '-F', '199', String(program.pid)])
      const stacks = namedStacks(profile)
      const inKernel = stacks.filter(({ frames }) => frames.at(-1)?.kind === 'kernel')
      const count = countStacks(inKernel)
      assert.ok(count > 0.8 * countStacks(stacks), `${count} of ${countStacks(stacks)}`)
      const whole = inKernel.filter(({ frames }) => {
        const names = frames.map(({ name }) => name)
        const firstKernel = frames.findIndex(({ kind }) => kind === 'kernel')
        return (
          names.indexOf('outer') + 1 === names.indexOf('read_zeros') &&
          names[firstKernel - 1] === 'read_zeros'
        )
      })
      assert.ok(countStacks(whole) > 0.95 * count, `${countStacks(whole)} of ${count} have both halves`)
      assert.ok(inKernel.every(({ frames }) => frames.at(-1)!.isNamed))
      assert.match(folded, /;outer;read_zeros;\S+_\[k\];/)
    } finally {
      await program.stop()
    }
  })

  it('keeps the same samples without kernel frames when asked to', async () => {
    const program = startTruth('kernel', '30')
    try {
      const { profile } = await runProfile(['--no-kernel', '-d', '1', '-F', '199', String(program.pid)])
      const stacks = namedStacks(profile)
      assert.equal(
        countStacks(stacks, ({ frames }) => frames.some(({ kind }) => kind === 'kernel')),
        0,
      )
      assert.ok(countWith(stacks, 'read_zeros') > 0.95 * countStacks(stacks))
    } finally {
      await program.stop()
    }
  })

  it('refuses a kernel thread as a target', async () => {
    const run = await runCommand(['-d', '1', '2']) // kthreadd
    assert.equal(run.status, 4)
    assert.match(run.stderr, /kernel thread/)
  })
})
