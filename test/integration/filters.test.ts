/** `--comm` and `--cgroup`: only what passes is sampled, and what passes is not thinned. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, runProfile } from '../helpers/profile-run.ts'
import { countStacks, namedStacks } from '../helpers/stacks.ts'
import { type Companion, startCompanion, startTruth, truthCopy } from '../helpers/truth.ts'

/** Where the version 2 hierarchy is mounted, '' when it is not. */
function cgroup2Mount(): string {
  return /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1] ?? ''
}

/** Two busy programs; the name of the first is its own on this host. */
async function withPrograms<T>(use: (programs: Companion[], name: string) => Promise<T>): Promise<T> {
  const path = truthCopy('split')
  const programs = [startCompanion(path, ['60']), startTruth('threads', '2', '60')]
  try {
    return await use(programs, basename(path))
  } finally {
    await Promise.all(programs.map((program) => program.stop()))
  }
}

describe('filters', { skip: skipUnless('cc') }, () => {
  it('samples only the threads of a name', async () => {
    await withPrograms(async ([split], name) => {
      const { profile } = await runProfile(['--comm', name, '-F', '499', '-d', '2'])
      const stacks = namedStacks(profile)
      assert.ok(countStacks(stacks) > 20, `${countStacks(stacks)} samples`)
      for (const { labels } of stacks) {
        assert.equal(labels.pid, split!.pid)
        assert.equal(labels.thread, name)
      }
    })
  })

  it('takes a process and a name that do not meet as no samples', async () => {
    await withPrograms(async ([split]) => {
      const run = await runCommand(['--comm', 'threads', '-d', '0.5', String(split!.pid)])
      assert.equal(run.status, 5, run.stderr)
    })
  })

  it('samples only the processes of a cgroup', {
    skip: cgroup2Mount() === '' && 'needs cgroup v2',
  }, async () => {
    const group = join(cgroup2Mount(), `emberscope-test-${process.pid}`)
    mkdirSync(group)
    try {
      await withPrograms(async ([, threads]) => {
        writeFileSync(join(group, 'cgroup.procs'), String(threads!.pid))
        const { profile } = await runProfile(['--cgroup', group, '-F', '499', '-d', '2'])
        const stacks = namedStacks(profile)
        assert.ok(countStacks(stacks) > 20, `${countStacks(stacks)} samples`)
        assert.ok(stacks.every(({ labels }) => labels.pid === threads!.pid))
      })
    } finally {
      rmdirSync(group)
    }
  })
})
