import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Command, parseArguments, type RecordCommand } from '../../../src/cli/arguments.ts'
import { AgentError } from '../../../src/errors.ts'

function record(...argv: string[]): RecordCommand {
  const command: Command = parseArguments(argv)
  assert.equal(command.kind, 'record')
  return command as RecordCommand
}

function refusal(...argv: string[]): string {
  try {
    parseArguments(argv)
  } catch (error) {
    assert.ok(error instanceof AgentError)
    assert.equal(error.code, 'usage')
    assert.ok(!error.message.includes('\n'), 'one line')
    return error.message
  }
  return assert.fail(`profile ${argv.join(' ')} was accepted`)
}

describe('targets', () => {
  it('takes one pid with the defaults: 10 s at 99 Hz, kernel frames, the page, the browser', () => {
    assert.deepEqual(record('4242'), {
      kind: 'record',
      target: { kind: 'pids', pids: [4242] },
      durationMs: 10_000,
      rateHz: 99,
      outputs: [],
      foldedRoot: '',
      force: false,
      json: false,
      open: true,
      kernelStacks: true,
      cgroup: '',
      comm: '',
      source: false,
      commandLine: false,
      redact: false,
      quiet: false,
      verbose: false,
    })
  })
  it('takes several pids, each once', () => {
    assert.deepEqual(record('12', '13', '12').target, { kind: 'pids', pids: [12, 13] })
  })
  it('takes a name', () => {
    assert.deepEqual(record('nginx').target, { kind: 'name', name: 'nginx' })
  })
  it('takes the whole machine', () => {
    assert.deepEqual(record('--all').target, { kind: 'all' })
  })
  it('takes a cgroup or a thread name alone as everything that passes it', () => {
    assert.deepEqual(record('--cgroup', '/a').target, { kind: 'all' })
    assert.deepEqual(record('--comm', 'worker').target, { kind: 'all' })
  })
  it('passes a command on untouched, options and a second -- too', () => {
    const argv = ['node', '-d', '--json', '--', '-x']
    assert.deepEqual(record('-F', '49', '--', ...argv).target, { kind: 'command', argv })
    assert.equal(record('-F', '49', '--', ...argv).rateHz, 49)
    assert.equal(record('-F', '49', '--', ...argv).json, false)
  })
  it('gives a command no time limit unless -d sets one', () => {
    assert.equal(record('--', 'true').durationMs, null)
    assert.equal(record('-d', '3', '--', 'true').durationMs, 3000)
  })
  it('refuses two kinds of target at once', () => {
    const message = 'give one target: pids, a name, --all, or -- COMMAND'
    assert.equal(refusal('4242', '--all'), message)
    assert.equal(refusal('4242', '--', 'true'), message)
    assert.equal(refusal('--all', '--', 'true'), message)
    assert.equal(refusal('12', 'nginx'), 'give pids or one name, not both: 12 nginx')
    assert.match(refusal('nginx', 'node'), /^give one name at a time, got "nginx" and "node"/)
  })
  it('refuses options without a target, an empty command and an empty name', () => {
    assert.match(refusal('-d', '5'), /^no target: give a pid/)
    assert.match(refusal('--'), /^-- needs a command/)
    assert.match(refusal(''), /name of the target is empty/)
  })
})

describe('values', () => {
  it('reads durations with and without unit', () => {
    const cases: [string, number][] = [
      ['10', 10_000], ['10s', 10_000], ['500ms', 500], ['1.5s', 1500], ['2m', 120_000], ['1h', 3_600_000], ['0.25', 250], ['.5', 500], ['.5m', 30_000],
    ] // biome-ignore format: a table
    for (const [text, ms] of cases) assert.equal(record('1', '-d', text).durationMs, ms, text)
  })
  it('accepts the spellings -d5, --duration=5 and --duration 5', () => {
    for (const argv of [['-d5'], ['--duration=5'], ['--duration', '5']]) {
      assert.equal(record('1', ...argv).durationMs, 5000)
    }
  })
  it('refuses durations that are none, zero, negative or longer than a day', () => {
    for (const text of ['10x', '', 's', '-1', '1e3', '10 10', 'NaN', 'Infinity', '٣']) {
      assert.equal(
        refusal('1', '-d', text),
        `-d must be a time like 10s, 500ms or 2m (a bare number is seconds), got "${text}"`,
      )
    }
    assert.equal(refusal('1', '-d', '0'), '-d must be more than 0 and at most 24h, got "0"')
    assert.equal(refusal('1', '-d', '25h'), '-d must be more than 0 and at most 24h, got "25h"')
  })
  it('takes rates from 1 to 999 and refuses the others', () => {
    assert.equal(record('1', '-F', '1').rateHz, 1)
    assert.equal(record('1', '-F', '999').rateHz, 999)
    for (const text of ['0', '1000', '-1', '99.5', 'fast', '']) {
      assert.equal(refusal('1', '-F', text), `-F must be an integer from 1 to 999, got "${text}"`)
    }
  })
})

describe('options', () => {
  it('names the nearest known option for an unknown one', () => {
    assert.equal(refusal('1', '--durration', '3'), 'unknown option --durration; did you mean --duration?')
    assert.equal(refusal('1', '--nokernel'), 'unknown option --nokernel; did you mean --no-kernel?')
    assert.equal(refusal('1', '-f', '99'), 'unknown option -f; did you mean -F?')
    assert.equal(refusal('1', '-x'), 'unknown option -x; see profile --help')
  })
  it('refuses a missing value and a value where none belongs', () => {
    assert.equal(refusal('1', '-d'), '-d needs a value: -d TIME')
    assert.equal(refusal('1', '-o', '--json'), '-o needs a value: -o FILE, got the option --json')
    assert.equal(refusal('1', '--json=yes'), '--json takes no value, got "yes"')
  })
  it('refuses options that exclude each other', () => {
    assert.equal(refusal('1', '-q', '-v'), '-q and -v exclude each other')
    assert.equal(refusal('1', '--kernel', '--no-kernel'), '--kernel and --no-kernel exclude each other')
    assert.match(refusal('1', '-o', '-', '--json'), /both write to standard output/)
    assert.match(refusal('1', '--source', '-o', 'a.pb.gz'), /^--source needs an \.html or \.json file/)
    assert.match(refusal('--last', '5m', '--source'), /^--source cannot be used with --last/)
    assert.match(refusal('-o', '-', '--', 'true'), /standard output belongs to the command/)
  })
  it('takes --source where a file can hold the text', () => {
    assert.equal(record('1', '--source').source, true)
    assert.equal(record('1', '--source', '-o', 'a.pb.gz', '-o', 'a.json').source, true)
  })
  it('refuses options of another command', () => {
    assert.equal(
      refusal('export', 'a', '-o', 'b.html', '-F', '9'),
      '-F is no option of profile export; see profile --help',
    )
    assert.equal(
      refusal('4242', '--port', '80'),
      '--port is an option of profile open only; see profile --help',
    )
  })
  it('takes a root for folded stacks and refuses another word', () => {
    assert.equal(record('1', '--root', 'thread').foldedRoot, 'thread')
    assert.equal(refusal('1', '--root', 'pid'), '--root must be comm or thread, got "pid"')
  })
  it('refuses a filter without text', () => {
    assert.equal(refusal('1', '--comm='), '--comm needs a value that is not empty')
    assert.equal(refusal('1', '--cgroup', ''), '--cgroup needs a value that is not empty')
  })
})

describe('the other commands', () => {
  it('prints usage for nothing, help and version anywhere', () => {
    assert.deepEqual(parseArguments([]), { kind: 'usage' })
    assert.deepEqual(parseArguments(['4242', '--help']), { kind: 'help' })
    assert.deepEqual(parseArguments(['-h']), { kind: 'help' })
    assert.deepEqual(parseArguments(['--version']), { kind: 'version' })
  })
  it('leaves --help behind -- to the command', () => {
    assert.deepEqual(record('--', 'ls', '--help').target, { kind: 'command', argv: ['ls', '--help'] })
  })
  it('opens files', () => {
    assert.deepEqual(parseArguments(['open', 'x.html']), {
      kind: 'open',
      files: ['x.html'],
      redact: false,
      open: true,
      port: 0,
    })
    assert.deepEqual(parseArguments(['open', 'x', 'y', '--no-open', '--redact', '--port', '80']), {
      kind: 'open', files: ['x', 'y'], redact: true, open: false, port: 80,
    }) // biome-ignore format: one value
    assert.equal(refusal('open'), 'profile open needs a file, as in: profile open cpu.pb.gz')
    assert.equal(refusal('open', 'a', '--port', '0'), '--port must be an integer from 1 to 65535, got "0"')
  })
  it('exports one file to some', () => {
    const command = parseArguments(['export', 'x.html', '-o', 'x.pb.gz', '-o', 'x.folded'])
    assert.equal(command.kind, 'export')
    assert.deepEqual(command.kind === 'export' && command.outputs.map((o) => o.format.name), [
      'pprof',
      'folded',
    ])
    assert.match(refusal('export', 'x.html'), /^profile export needs -o FILE/)
  })
  it('examines the host, or pids, or a name', () => {
    assert.deepEqual(parseArguments(['doctor']), { kind: 'doctor', target: null, json: false })
    assert.deepEqual(parseArguments(['doctor', '12', '--json']), {
      kind: 'doctor', target: { kind: 'pids', pids: [12] }, json: true,
    }) // biome-ignore format: one value
    assert.match(refusal('doctor', '--', 'ls'), /looks at running processes/)
  })
  it('knows the shells it completes for', () => {
    assert.deepEqual(parseArguments(['completion', 'zsh']), { kind: 'completion', shell: 'zsh' })
    assert.equal(refusal('completion', 'csh'), 'profile completion needs one of bash, zsh, fish, got "csh"')
  })
})
