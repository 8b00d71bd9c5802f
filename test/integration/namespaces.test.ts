/** Files and pids that look different from where the profiler stands: deleted, replaced, chrooted, other namespaces. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { skipUnless } from '../helpers/host.ts'
import { type ProfileRun, runProfile, scratchDirectory } from '../helpers/profile-run.ts'
import { countStacks, countWith, namedStacks } from '../helpers/stacks.ts'
import { startCompanion, truthProgram } from '../helpers/truth.ts'

/** Most samples must carry the names of the split program. */
function assertIsSplit({ profile }: ProfileRun): void {
  const stacks = namedStacks(profile)
  const samples = countStacks(stacks)
  assert.ok(samples > 20, `only ${samples} samples`)
  for (const name of ['main', 'turn']) {
    const count = countWith(stacks, name)
    assert.ok(count > 0.9 * samples, `${name} is in ${count} of ${samples} samples`)
  }
  assert.ok(countWith(stacks, 'heavy') > 0.4 * samples)
}

/** A copy of the split program in a directory of its own. */
function copyOfSplit(): string {
  const path = join(scratchDirectory(), 'program')
  copyFileSync(truthProgram('split'), path)
  return path
}

/** A root directory with the split program and the libraries it needs, and nothing else. */
function rootWithSplit(): string {
  const root = scratchDirectory()
  const libraries = execFileSync('ldd', [truthProgram('split')])
    .toString()
    .matchAll(/(\/\S+) \(0x/g)
  for (const [, path] of libraries) {
    mkdirSync(join(root, dirname(path!)), { recursive: true })
    copyFileSync(path!, join(root, path!))
    chmodSync(join(root, path!), 0o755)
  }
  mkdirSync(join(root, 'inside'))
  copyFileSync(truthProgram('split'), join(root, 'inside/program'))
  return root
}

/** The only child of a process, by its number here. */
async function childOf(pid: number): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    if (children !== '') return Number(children.split(' ')[0])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`process ${pid} has no child`)
}

async function profileWhileItRuns(command: string, args: readonly string[]): Promise<ProfileRun> {
  const program = startCompanion(command, args)
  try {
    return await runProfile(['-F', '499', '-d', '1', String(program.pid)])
  } finally {
    await program.stop()
  }
}

describe('files and pids seen from elsewhere', {
  skip: skipUnless('cc', 'ldd', 'unshare', 'pivot_root'),
}, () => {
  it('names a program whose file was deleted', async () => {
    const path = copyOfSplit()
    const program = startCompanion(path, ['30'])
    try {
      rmSync(path)
      assertIsSplit(await runProfile(['-F', '499', '-d', '1', String(program.pid)]))
    } finally {
      await program.stop()
    }
  })

  it('names a program whose file was replaced by another one', async () => {
    const path = copyOfSplit()
    const program = startCompanion(path, ['30'])
    try {
      writeFileSync(`${path}.new`, readFileSync(truthProgram('threads')))
      renameSync(`${path}.new`, path)
      assertIsSplit(await runProfile(['-F', '499', '-d', '1', String(program.pid)]))
    } finally {
      await program.stop()
    }
  })

  it('names a program in a root of its own', async () => {
    const root = rootWithSplit()
    assertIsSplit(await profileWhileItRuns('unshare', ['-m', 'chroot', root, '/inside/program', '30']))
  })

  it('names a program in a container: paths that exist only in its mount namespace', async () => {
    const root = rootWithSplit()
    mkdirSync(join(root, 'old'))
    const enter = `mount --bind ${root} ${root} && cd ${root} && pivot_root . old && exec /inside/program 30`
    const run = await profileWhileItRuns('unshare', ['-m', 'sh', '-c', enter])
    assertIsSplit(run)
    assert.ok(run.profile.mappings.some(({ fileName }) => fileName === '/inside/program'))
  })

  it('names a launched program in a root of its own, gone when the names are looked up', async () => {
    const root = rootWithSplit()
    const command = `unshare -m chroot ${root} /inside/program 1 > /dev/null; true`
    assertIsSplit(await runProfile(['-F', '499', '--', 'sh', '-c', command]))
  })

  it('profiles a process in its own pid namespace by its number outside', async () => {
    const args = ['-p', '-f', '--kill-child', '--mount-proc', truthProgram('split'), '30']
    const unshare = startCompanion('unshare', args)
    try {
      const pid = await childOf(unshare.pid)
      const run = await runProfile(['-F', '499', '-d', '1', String(pid)])
      assertIsSplit(run)
      assert.equal(namedStacks(run.profile)[0]!.labels.pid, pid)
    } finally {
      await unshare.stop()
    }
  })

  it('profiles inside a pid namespace by the numbers of that namespace', async () => {
    const script = `${truthProgram('split')} 10 > /dev/null & exec "$@" $!`
    const within = ['unshare', '-p', '-f', '--kill-child', '--mount-proc', 'sh', '-c', script, 'sh']
    const run = await runProfile(['-F', '499', '-d', '1'], { within })
    assertIsSplit(run)
    assert.deepEqual(run.report.target.pids, [2])
    assert.ok(namedStacks(run.profile).every(({ labels }) => labels.pid === 2))
  })

  it('launches and follows a command inside a pid namespace', async () => {
    const within = ['unshare', '-p', '-f', '--kill-child', '--mount-proc']
    const command = `${truthProgram('split')} 1 > /dev/null; true`
    assertIsSplit(await runProfile(['-F', '499', '--', 'sh', '-c', command], { within }))
  })
})
