/** `--all`: processes that are born and gone while we look, none missed and none without names. */
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { skipUnless } from '../helpers/host.ts'
import { runProfile, total } from '../helpers/profile-run.ts'
import { countStacks, namedStacks } from '../helpers/stacks.ts'
import { startCompanion, startTruth, truthCopy } from '../helpers/truth.ts'

const PROCESSES = 100

describe('the whole machine', { skip: skipUnless('cc') }, () => {
  it('sees and names every one of 100 processes that live for 50 ms of CPU', async () => {
    const program = truthCopy('families')
    let running: ReturnType<typeof runProfile> | undefined
    const pid = await new Promise<number>((resolve, reject) => {
      running = runProfile(['--all', '-F', '199', '-d', '120'], { onSampling: resolve })
      running.catch(reject)
    })
    const loop = `i=0; while [ $i -lt ${PROCESSES} ]; do ${program} chain 1 50 > /dev/null; i=$((i + 1)); done`
    const storm = startCompanion('sh', ['-c', loop])
    await storm.end()
    process.kill(pid, 'SIGINT')
    const { profile, report } = await running!
    const burning = namedStacks(profile).filter(({ frames }) =>
      frames.some(({ name, module }) => name === 'stage_burn' && program.endsWith(module)),
    )
    assert.equal(new Set(burning.map(({ labels }) => labels.pid)).size, PROCESSES)
    assert.ok(countStacks(burning, ({ frames }) => frames.some(({ name }) => name === 'main')) > 0)
    assert.equal(total(report.samples.dropped), 0)
    assert.ok(!report.notes.some((note) => note.includes('lost')), report.notes.join('\n'))
  })

  it('accounts for 1 000 processes in 10 s, and names each', async () => {
    const programs = (['brief-a', 'brief-b'] as const).map(truthCopy)
    const storm = startTruth('storm', 'exec', '1000', '4', '5', ...programs)
    const run = await runProfile(['--all', '-F', '199', '-d', '9'])
    await storm.stop()
    const { profile, report } = run // captured = kept + dropped was checked
    assert.equal(total(report.samples.dropped), 0)
    const stacks = namedStacks(profile)
    assert.ok(
      stacks.every(({ labels }) => String(labels.comm) !== ''),
      'every sample has the name of its process',
    )
    for (const path of programs) {
      const name = basename(path)
      const mine = stacks.filter(({ labels }) => labels.comm === name)
      const burning = mine.filter(({ frames }) => frames.some((frame) => /^[ab]_burn$/.test(frame.name)))
      assert.ok(countStacks(burning) > 100, `${countStacks(burning)} samples of ${name} burn`)
      const whole = burning.filter(
        ({ frames }) =>
          frames.some((frame) => frame.name === 'main') &&
          frames.every((frame) => !frame.name.startsWith(name.startsWith('brief-a') ? 'b_' : 'a_')),
      )
      assert.ok(
        countStacks(whole) >= 0.99 * countStacks(burning),
        `${name}: ${countStacks(whole)} whole stacks`,
      )
    }
  })
})
