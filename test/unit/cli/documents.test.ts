/** The help, the completions and the manual page say the same as the option table. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { completionScript } from '../../../src/cli/completions/scripts.ts'
import { DIFF_FORMATS } from '../../../src/cli/diff-arguments.ts'
import { helpText, usageText } from '../../../src/cli/help.ts'
import { COMMANDS, OPTIONS, SHELLS } from '../../../src/cli/options.ts'
import { OUTPUT_FORMATS } from '../../../src/cli/output-plan.ts'
import { runIn } from '../../../src/cli/run.ts'
import { ERROR_CODES } from '../../../src/errors.ts'
import { packageRoot } from '../../../src/native/addon.ts'
import { FakeWorld, fakeDeps, fakeProfile } from '../../helpers/fake-world.ts'

const MAN = readFileSync(join(packageRoot(), 'src/cli/man/profile.1'), 'utf8').replaceAll('\\-', '-')

function run(...argv: string[]) {
  const world = new FakeWorld({ cwd: '/' })
  return runIn(world, argv, fakeDeps(fakeProfile([]), world)).then((code) => ({
    code,
    out: world.stdout.text,
    err: world.stderr.text,
  }))
}

describe('every option', () => {
  for (const option of OPTIONS) {
    it(`--${option.name} is in the help, the manual page and the completions`, () => {
      const words = [`--${option.name}`, ...(option.short === '' ? [] : [`-${option.short}`])]
      for (const word of words) {
        const alone = new RegExp(`(^|[^\\w-])${word}($|[^\\w-])`, 'm')
        for (const text of [helpText(), MAN, completionScript('bash'), completionScript('zsh')]) {
          assert.ok(alone.test(text), `${word} is missing in ${text.slice(0, 40)}`)
        }
      }
      assert.match(completionScript('fish'), new RegExp(` -l ${option.name}( |$)`, 'm'))
      if (option.short !== '') assert.match(completionScript('fish'), new RegExp(` -s ${option.short} `))
    })
  }
})

describe('the manual page', () => {
  it('names every command, extension and exit code', () => {
    for (const command of COMMANDS.filter((c) => c !== 'record'))
      assert.ok(MAN.includes(`profile ${command}`), command)
    for (const { extension } of [...OUTPUT_FORMATS, ...DIFF_FORMATS])
      assert.ok(MAN.includes(extension), extension)
    for (const { exit } of Object.values(ERROR_CODES)) assert.ok(MAN.includes(`.B ${exit}\n`), String(exit))
  })
  it('knows no option that is not in the table', () => {
    const named = [...MAN.matchAll(/--([a-z][a-z-]+)/g)].map((m) => m[1]!)
    for (const name of named)
      assert.ok(
        OPTIONS.some((o) => o.name === name),
        name,
      )
  })
})

describe('the help', () => {
  it('starts with at least five examples', () => {
    const [head, ...rest] = helpText().split('\n')
    assert.equal(head, 'Examples:')
    assert.ok(rest.indexOf('') >= 5)
  })
  it('fits into 110 columns', () => {
    for (const line of helpText().split('\n')) assert.ok(line.length <= 110, line)
  })
  it('goes to stdout with exit 0; usage goes to stderr with exit 2', async () => {
    assert.deepEqual(await run('--help'), { code: 0, out: helpText(), err: '' })
    assert.deepEqual(await run(), { code: 2, out: '', err: usageText() })
  })
  it('tells the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))
    assert.equal((await run('--version')).out, `profile ${version}\n`)
  })
})

describe('the completions', () => {
  const interpreters = { bash: '/bin/bash', zsh: '/usr/bin/zsh', fish: '/usr/bin/fish' }
  for (const shell of SHELLS) {
    const path = interpreters[shell]
    it(`for ${shell} are printed and accepted by it`, {
      skip: !existsSync(path) && `${path} is missing`,
    }, async () => {
      const { code, out } = await run('completion', shell)
      assert.equal(code, 0)
      execFileSync('sh', ['-c', `cat | ${path} -n`], { input: out }) // fish refuses the socket Node would give it
    })
  }
  it('for bash complete commands, options, files, pids and commands after --', () => {
    const complete = (...words: string[]): string[] => {
      const list = words.map((w) => `'${w}'`).join(' ')
      const script = `${completionScript('bash')}\nCOMP_WORDS=(profile ${list}); COMP_CWORD=${words.length}; _profile; printf '%s\\n' "\${COMPREPLY[@]}"`
      return execFileSync('/bin/bash', ['-c', script], { encoding: 'utf8' }).split('\n').filter(Boolean)
    }
    assert.deepEqual(complete('agent', '--queue-d'), ['--queue-dir'])
    assert.deepEqual(complete('doc'), ['doctor'])
    assert.deepEqual(complete('1', '--no-k'), ['--no-kernel'])
    assert.deepEqual(complete('1', '-o', '/etc/passw').includes('/etc/passwd'), true)
    assert.deepEqual(complete(String(process.pid)).includes(String(process.pid)), true)
    assert.deepEqual(complete('completion', 'z'), ['zsh'])
    assert.deepEqual(complete('-d', ''), [])
    assert.ok(complete('--', 'bas').includes('bash'))
    assert.ok(complete('--', 'ls', '/etc/passw').includes('/etc/passwd'))
    for (const command of ['open', 'export', 'diff'])
      assert.deepEqual(complete(command, '/etc/passw').includes('/etc/passwd'), true)
  })
})
