/** Targets that lie, change under our feet or are of absurd size: they cost names, never the profile. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { skipUnless } from '../helpers/host.ts'
import { type ProfileRun, runCommand, runProfile, scratchDirectory, total } from '../helpers/profile-run.ts'
import { countWith, namedStacks } from '../helpers/stacks.ts'
import { type Companion, startTruth, truthProgram } from '../helpers/truth.ts'

/** Of the library: headers, code and the rest lie on pages of their own. */
const CODE_START = 0x1000
const CODE_END = 0x2000

/** Profiles a program that burns in a copy of the library, which `change` spoils half a second in. */
async function profileWhileLibraryChanges(change: (path: string) => void): Promise<ProfileRun> {
  const path = join(scratchDirectory(), 'library.so')
  copyFileSync(truthProgram('plugin.so'), path)
  const loader = startTruth('loader', path, '30', '0')
  try {
    await loader.line('loaded')
    const run = runProfile(['-d', '2', '-F', '499', String(loader.pid)])
    await sleep(1000)
    change(path)
    return await run
  } finally {
    await loader.stop()
  }
}

/** Writes random bytes over everything but the code, which is running. */
function overwriteAllButCode(path: string): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, randomBytes(CODE_START), 0, CODE_START, 0)
  const rest = fstatSync(fd).size - CODE_END
  writeSync(fd, randomBytes(rest), 0, rest, CODE_END)
  closeSync(fd)
}

/** Runs `use` beside a program that burns in anonymous memory, with `content` as its perf map. */
async function withPerfMap<T>(
  makeMap: (path: string, address: string) => void,
  use: (program: Companion) => Promise<T>,
): Promise<T> {
  const program = startTruth('odd', 'jit', '60')
  const path = `/tmp/perf-${program.pid}.map`
  try {
    const address = /0x([0-9a-f]+)/.exec(await program.line('ready'))![1]!
    makeMap(path, address)
    return await use(program)
  } finally {
    await program.stop()
    rmSync(path, { force: true })
  }
}

const profileOneSecond = ({ pid }: Companion): Promise<ProfileRun> =>
  runProfile(['-F', '499', '-d', '1', String(pid)])

describe('hostile targets', { skip: skipUnless('cc', 'mkfifo') }, () => {
  it('survives a library whose file is overwritten while it runs', async () => {
    const { report } = await profileWhileLibraryChanges(overwriteAllButCode)
    assert.ok(report.samples.kept > 50, JSON.stringify(report.samples))
  })

  it('survives a library whose file is cut off while it runs', async () => {
    const { report } = await profileWhileLibraryChanges((path) => truncateSync(path, CODE_END))
    assert.ok(report.samples.kept > 50, JSON.stringify(report.samples))
  })

  it('reads a good perf map', async () => {
    const { profile } = await withPerfMap(
      (path, address) => writeFileSync(path, `${address} 1000 made_at_run_time\n`),
      profileOneSecond,
    )
    assert.ok(countWith(namedStacks(profile), 'made_at_run_time') > 20)
  })

  it('does not wait for a perf map that is a pipe', async () => {
    const { report } = await withPerfMap((path) => void execFileSync('mkfifo', [path]), profileOneSecond)
    assert.ok(total(report.frames.unnamed) > 20, JSON.stringify(report.frames))
  })

  it('reads no more than it should of a perf map of 200 MB', async () => {
    const { report } = await withPerfMap((path) => {
      const fd = openSync(path, 'w')
      for (let i = 0; i < 200; i++) writeSync(fd, randomBytes(1 << 20))
      closeSync(fd)
    }, profileOneSecond)
    assert.ok(total(report.frames.unnamed) > 20, JSON.stringify(report.frames))
    assert.ok(
      report.notes.some((note) => note.includes('perf map')),
      report.notes.join('\n'),
    )
  })

  it('names a process with 60 000 mappings', async () => {
    const program = startTruth('odd', 'mappings', '60')
    try {
      await program.line('ready')
      const { profile } = await profileOneSecond(program)
      assert.ok(countWith(namedStacks(profile), 'odd_burn') > 20)
    } finally {
      await program.stop()
    }
  })

  it('prints no control bytes of a thread name, and keeps one line a stack', async () => {
    const program = startTruth('odd', 'name', '60')
    try {
      await program.line('ready')
      const directory = scratchDirectory()
      const args = ['-d', '1', '-v', '-o', join(directory, 'a.folded'), '-o', join(directory, 'a.html')]
      const plain = await runCommand([...args, String(program.pid)])
      assert.equal(plain.status, 0, plain.stderr)
      const printed = [...(plain.stdout + plain.stderr)].map((character) => character.codePointAt(0)!)
      const control = printed.filter((code) => (code < 32 && code !== 10) || (code >= 127 && code < 160))
      assert.deepEqual(control, [])
      const { folded } = await profileOneSecond(program)
      for (const line of folded.trimEnd().split('\n')) assert.match(line, / \d+$/)
    } finally {
      await program.stop()
    }
  })
})
