import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const MODULE = new URL('../../../src/cli/run.js', import.meta.url).href
const HELP = running(['--help'])

function running(argv: readonly string[]): string {
  const call = `m.run(${JSON.stringify(argv)}, {})`
  return `import(${JSON.stringify(MODULE)}).then((m) => ${call}).then((code) => { process.exitCode = code })`
}

function shell(command: string): { status: number | null; stderr: string } {
  return spawnSync('/bin/sh', ['-c', command, 'sh', process.execPath, HELP], { encoding: 'utf8' })
}

it('a full disk behind standard output is one line, exit 2', () => {
  const { status, stderr } = shell('exec "$1" -e "$2" > /dev/full')
  assert.equal(stderr, 'profile: cannot write standard output: no space left on the device\n')
  assert.equal(status, 2)
})

it('a reader that went away is no fault', () => {
  const { status, stderr } = shell('{ "$1" -e "$2"; echo "exit $?" >&2; } | :')
  assert.equal(stderr, 'exit 0\n')
  assert.equal(status, 0)
})

it('a terminal that is closed under us is no abort', {
  skip: existsSync('/usr/bin/script') ? false : 'needs script (bsdutils)',
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hangup-'))
  try {
    const file = (name: string): string => join(directory, name)
    writeFileSync(file('p.folded'), 'main 1\n')
    writeFileSync(file('open.mjs'), running(['open', '--no-open', file('p.folded')]))
    // As of a real shell: it passes the hang-up on to its group, and the kernel sends another one when it has ended.
    const node = `'${process.execPath}' ${file('open.mjs')}`
    writeFileSync(
      file('in-terminal'),
      `(trap : HUP; ${node}; echo $? > ${file('code')}) &
       trap 'trap "" HUP; kill -HUP 0; exit' HUP; wait`,
    )
    const terminal = spawn('/usr/bin/script', ['-qfc', `sh ${file('in-terminal')}`, file('typescript')], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    const holds = (name: string, text: RegExp) =>
      existsSync(file(name)) && text.test(readFileSync(file(name), 'utf8'))
    for (let i = 0; i < 200 && !holds('typescript', /http:[^\n]*\n/); i++) await sleep(50)
    terminal.kill('SIGKILL')
    for (let i = 0; i < 200 && !holds('code', /\n/); i++) await sleep(50)
    assert.equal(readFileSync(file('code'), 'utf8'), '0\n')
  } finally {
    rmSync(directory, { recursive: true })
  }
})
