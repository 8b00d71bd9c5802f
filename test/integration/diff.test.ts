/** `profile diff` of real programs: one that is profiled twice, and two builds whose shares are known to differ. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import type { DiffJson } from '../../src/formats/diff-json.ts'
import { shareDifference } from '../../src/stats/compare.ts'
import { skipUnless } from '../helpers/host.ts'
import { assertValid } from '../helpers/json-schema.ts'
import { type CommandRun, runCommand, scratchDirectory } from '../helpers/profile-run.ts'
import { type TruthProgram, truthProgram } from '../helpers/truth.ts'

/** Two-sided 99.99 %: these tests must not fail by luck. */
const Z = 3.89

type Shares = Readonly<Record<'heavy' | 'medium' | 'light', number>>

/** Profiles a program for some seconds; its file, and the shares it measured of itself. */
async function profiled(name: TruthProgram, file: string): Promise<{ file: string; truth: Shares }> {
  const directory = scratchDirectory()
  const [own, out] = [join(directory, 'own.json'), join(directory, file)]
  const command = ['sh', '-c', `exec ${truthProgram(name)} 6 > ${own}`]
  const run = await runCommand(['-F', '999', '--no-kernel', '--no-open', '-o', out, '--', ...command])
  assert.equal(run.status, 0, run.stderr)
  const { heavy, medium, light }: Shares = JSON.parse(readFileSync(own, 'utf8'))
  const all = heavy + medium + light
  return { file: out, truth: { heavy: heavy / all, medium: medium / all, light: light / all } }
}

function parsed({ stdout, stderr }: CommandRun): DiffJson {
  assert.ok(stdout !== '', stderr)
  const value: DiffJson = JSON.parse(stdout)
  assertValid('src/formats/diff.schema.json', value)
  return value
}

const named = ({ functions }: DiffJson, name: string) => functions.find((fn) => fn.name === name)!

describe('profile diff of real programs', { skip: skipUnless('cc') }, () => {
  let first: Awaited<ReturnType<typeof profiled>>
  let again: Awaited<ReturnType<typeof profiled>>
  let shifted: Awaited<ReturnType<typeof profiled>>
  before(async () => {
    first = await profiled('split', 'first.pb.gz')
    again = await profiled('split', 'again.html')
    shifted = await profiled('split-shifted', 'shifted.pb.gz')
  })

  it('finds nothing between two runs of one program', async () => {
    const run = await runCommand(['diff', first.file, again.file, '--json', '--fail', '+15'])
    assert.equal(run.status, 0, run.stderr)
    // One diff in twenty may be off at 5 %; one in ten thousand at this level.
    for (const { name, self, total } of parsed(run).functions) {
      assert.ok(self.adjusted_p! > 1e-4, `self of ${name}: ${JSON.stringify(self)}`)
      assert.ok(total.adjusted_p! > 1e-4, `total of ${name}: ${JSON.stringify(total)}`)
    }
  })

  it('finds 60/30/10 turned into 50/40/10: direction, size and exit code', async () => {
    const run = await runCommand(['diff', first.file, shifted.file, '--json', '--fail', '+3'])
    assert.equal(run.status, 10, run.stderr)
    assert.match(run.stderr, /shifted\.pb\.gz fails --fail \+3: medium/)
    const value = parsed(run)
    assert.deepEqual(value.fail!.functions.toSorted(), ['medium', 'medium_inner'])
    assert.equal(named(value, 'heavy').verdict, 'shrank')
    assert.equal(named(value, 'medium').verdict, 'grew')
    assert.match(value.verdict, /^(heavy shrank|medium_inner grew) by \d+\.\d points/)
    const all = { before: value.before.samples!, after: value.after.samples! }
    for (const name of ['heavy', 'medium', 'light'] as const) {
      const { before_samples, after_samples } = named(value, name).total
      const { low, high } = shareDifference({ before: before_samples!, after: after_samples! }, all, Z)
      const truth = shifted.truth[name] - first.truth[name]
      assert.ok(low <= truth && truth <= high, `${name}: ${low} to ${high}, it measured ${truth}`)
    }
  })

  it('tells the same in the terminal, and in Markdown', async () => {
    const { stdout, status } = await runCommand(['diff', first.file, shifted.file])
    assert.equal(status, 0)
    assert.match(stdout, /^(heavy shrank|medium_inner grew) by .* points/)
    assert.match(stdout, /^ CPU per second: \d\.\d\d → \d\.\d\d cores, [01]\.\d\d times/m)
    assert.match(stdout, /^ +\+\d+\.\d ±\d\.\d {2}.*medium_inner/m)
    const markdown = await runCommand(['diff', first.file, shifted.file, '-o', '-.md'])
    assert.match(markdown.stdout, /^\| \*\*<code>heavy<\/code>\*\*.*\| \*\*-\d+\.\d\*\* ±\d\.\d \|/m)
  })
})
