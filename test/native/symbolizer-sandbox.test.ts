import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { NamesAnswer } from '../../src/symbolize/answer.ts'
import {
  type SymbolizerProcess,
  startSymbolizer,
  symbolizerPath,
} from '../../src/symbolize/symbolizer-process.ts'
import { cannotRun } from './symbolizer-cases.ts'

/** Runs `look` while a symbolizer that has answered once, and so is confined, waits for its next request. */
async function withConfined(look: (pid: number, symbolizer: SymbolizerProcess) => void): Promise<void> {
  const symbolizer = startSymbolizer(symbolizerPath(), [])
  assert.ok(symbolizer?.pid)
  try {
    assert.equal(await symbolizer.ask('demangle 1\n_Z1fv\n', new NamesAnswer(['_Z1fv']), 10_000), '')
    look(symbolizer.pid, symbolizer)
  } finally {
    await symbolizer.close()
  }
}

function statusOf(pid: number): Map<string, string> {
  const rows = readFileSync(`/proc/${pid}/status`, 'utf8').trimEnd().split('\n')
  return new Map(rows.map((row) => [row.slice(0, row.indexOf(':')), row.slice(row.indexOf(':') + 1).trim()]))
}

/** Answer and end of the executable on raw input. */
function run(input: string): { stdout: string; status: number | null; signal: string | null } {
  const { stdout, status, signal } = spawnSync(symbolizerPath(), [], {
    input,
    encoding: 'utf8',
    timeout: 10_000,
  })
  return { stdout, status, signal }
}

describe('the symbolizer process', { skip: cannotRun }, () => {
  test('has no capabilities, no way to new ones and a system call filter', async () => {
    await withConfined((pid) => {
      const status = statusOf(pid)
      const empty = '0'.repeat(16)
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) assert.equal(status.get(set), empty, set)
      assert.equal(status.get('NoNewPrivs'), '1')
      assert.equal(status.get('Seccomp'), '2')
    })
  })

  test('is nobody when it was started by root', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('not root')
    await withConfined((pid) => {
      const status = statusOf(pid)
      assert.equal(status.get('Uid'), '65534\t65534\t65534\t65534')
      assert.equal(status.get('Gid'), '65534\t65534\t65534\t65534')
      assert.equal(status.get('Groups'), '')
      assert.equal(status.get('CapBnd'), '0'.repeat(16))
    })
  })

  test('works for a root without the right to become another, as in a pod', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('not root')
    const options = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs']
    const input = 'demangle 1\n_Z1fv\n'
    const { stdout } = spawnSync('setpriv', [...options, symbolizerPath()], { input, encoding: 'utf8' })
    assert.equal(stdout, 'd f()\ndone\n')
  })

  test('has limits of memory, time, files and processes', async () => {
    await withConfined((pid) => {
      const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
      for (const [name, limit] of [
        ['Max data size', String(2 ** 30)],
        ['Max address space', String(32 * 2 ** 30)],
        ['Max cpu time', '60'],
        ['Max file size', '0'],
        ['Max core file size', '0'],
        ['Max processes', '0'],
        ['Max open files', '3'],
      ] as const) {
        assert.match(limits, new RegExp(`^${name} +${limit} +${limit} `, 'm'))
      }
    })
  })

  test('inherits nothing of our environment and no descriptor but its pipes', async () => {
    await withConfined((pid) => {
      const open = execFileSync('ls', [`/proc/${pid}/fd`], { encoding: 'utf8' })
        .trim()
        .split('\n')
      assert.deepEqual(open, ['0', '1', '2'])
      assert.equal(readFileSync(`/proc/${pid}/environ`, 'utf8'), '')
    })
  })

  test('ends with its input', () => {
    assert.deepEqual(run(''), { stdout: '', status: 0, signal: null })
    assert.deepEqual(run('demangle 1\n_Z1fv\n'), { stdout: 'd f()\ndone\n', status: 0, signal: null })
  })

  test('refuses a request it does not understand, and ends', () => {
    for (const input of [
      'hello\n',
      'lines\n',
      'lines a b c 1\n',
      'lines -1 -1 -1 99999999999\n',
      'lines -1 -1 -1 -1\n',
      'lines -1 -1 -1 1\nxyz\n',
      'lines -1 -1 -1 2\n10\n',
      'lines -1 -1 -1 1 more\n',
      'demangle 2\n_Z1fv\n',
      'demangle 1',
      `demangle 1\n${'x'.repeat(200_000)}\n`,
      '\0\n',
    ]) {
      const { stdout, status } = run(input)
      assert.match(stdout, /^failed bad_request /, JSON.stringify(input.slice(0, 40)))
      assert.equal(status, 2)
    }
  })

  test('answers for descriptors that are closed, or no files', () => {
    assert.match(run('lines 9 -1 -1 0\n').stdout, /^failed io_error /)
    assert.match(run('lines 0 -1 -1 0\n').stdout, /^failed not_elf /)
    assert.match(run('lines -1 -1 -1 0\n').stdout, /^failed bad_request /)
  })

  test('lets no name forge a line of the answer', () => {
    assert.equal(run('demangle 1\n_Z1fv\rdone\n').stdout, '=\ndone\n')
    const escaped = run('demangle 1\n\x1b[31mx.llvm.1\n').stdout
    assert.equal(escaped, 'd ?[31mx\ndone\n')
  })
})
