/** `profile top` from fixed windows: screens as text, keys, and the page of a function. */
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { ReadStream, WriteStream } from 'node:tty'
import { parseArguments } from '../../../../src/cli/arguments.ts'
import { runIn } from '../../../../src/cli/run.ts'
import { styleOf } from '../../../../src/cli/terminal.ts'
import { functionDetail } from '../../../../src/cli/top/function-detail.ts'
import { TopHistory } from '../../../../src/cli/top/history.ts'
import { keysOf } from '../../../../src/cli/top/keys.ts'
import { renderTop, type Screen, sparkline } from '../../../../src/cli/top/render.ts'
import { OwnTerminal } from '../../../../src/cli/top/screen.ts'
import { FIRST_STATE, press, type TopState } from '../../../../src/cli/top/view-state.ts'
import { functionKey } from '../../../../src/cli/top/window-functions.ts'
import type { Profile } from '../../../../src/model/profile.ts'
import { packageRoot } from '../../../../src/native/addon.ts'
import { FAKE_REPORT, FakeOutput, FakeWorld, fakeDeps, fakeProfile } from '../../../helpers/fake-world.ts'

const f = (...names: string[]) => names.map((name) => ({ name, file: `${name}.c` }))
const REPORT = { ...FAKE_REPORT, durationNs: 1e9, target: { kind: 'all' as const, name: 'all', pids: [] } }

/** A second: `busy` samples in parse, 10 in a kernel function of two processes, 5 recursions. */
function second(busy: number): Profile {
  const stacks = [
    { frames: f('main', 'handle', 'parse'), samples: busy },
    { frames: f('main', 'read', 'copy_to_user'), samples: 10 },
    { frames: f('main', 'walk', 'walk', 'walk'), samples: 5 },
  ]
  const profile = fakeProfile(stacks, REPORT)
  const labelSet = profile.samples.stack.map((_, row) => (row % 3 === 0 ? 1 : 0))
  return {
    ...profile,
    durationNs: 1_000_000_000n,
    labelSets: [[{ key: 'comm', str: 'node' }], [{ key: 'comm', str: 'sh\x1b[31m' }]],
    samples: { ...profile.samples, labelSet },
  }
}

const history = new TopHistory()
for (let n = 1; n <= 15; n++) history.add(second(n * 4))

const plain = styleOf(new FakeOutput(), { LANG: 'C.UTF-8' })
const ascii = styleOf(new FakeOutput(), { LANG: 'C' })

function screen(state: Partial<TopState> = {}, of = history): Screen {
  const whole = { ...FIRST_STATE, ...state }
  return {
    state: whole,
    data: of.data(whole.span, whole.sort, whole.filter),
    title: 'all processes of box',
    past: (key, sort) => of.past(key, sort),
    detail: whole.mode === 'detail' ? functionDetail(of.profiles(whole.span), whole.selected) : null,
    problem: '',
  }
}
const text = (state: Partial<TopState>, columns: number, rows = 14, style = plain): string =>
  renderTop(screen(state), { columns, rows }, style).join('\n')

/** Screens as they were looked at and found good; a new one is written by UPDATE_GOLDEN=1 and read in the diff. */
function golden(name: string, actual: string): string {
  const path = join(packageRoot(), 'test/unit/cli/top/golden', `${name}.txt`)
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, `${actual}\n`)
  return readFileSync(path, 'utf8').slice(0, -1)
}

describe('the screen', () => {
  test('shows the header and the functions of the last seconds', () => {
    const drawn = text({}, 120)
    assert.equal(drawn, golden('wide', drawn))
  })

  test('gives up columns as it gets narrow, and glyphs where there is no UTF-8', () => {
    const drawn = text({ sort: 'total', selected: functionKey('handle', 'handle.c') }, 60, 10)
    assert.equal(drawn, golden('narrow', drawn))
    const small = text({ isPaused: true }, 40, 8, ascii)
    assert.equal(small, golden('ascii', small))
    assert.match(small, /^[\x00-\x7f]*$/)
  })

  test('shows one function with its callers, its callees and its path', () => {
    const drawn = text({ mode: 'detail', selected: functionKey('handle', 'handle.c') }, 80, 18)
    assert.equal(drawn, golden('detail', drawn))
  })

  for (const mode of ['list', 'filter', 'detail', 'help'] as const) {
    test(`never leaves the terminal, whatever its size (${mode})`, () => {
      for (const columns of [1, 7, 20, 39, 51, 83, 99, 160, 400]) {
        for (const rows of [1, 2, 5, 6, 24, 100]) {
          const state = {
            mode,
            selected: functionKey('parse', 'parse.c'),
            filter: mode === 'filter' ? 'x'.repeat(99) : '',
          }
          const lines = renderTop(screen(state), { columns, rows }, plain)
          assert.ok(lines.length <= rows, `${lines.length} lines of ${rows}`)
          for (const line of lines) assert.ok(Array.from(line).length <= columns, `${columns}: "${line}"`)
        }
      }
    })
  }

  test('makes names of foreign origin harmless', () => {
    const evil = new TopHistory()
    evil.add(fakeProfile([{ frames: f('\x1b[2Jevil\n'), samples: 3 }], REPORT))
    const lines = renderTop(screen({}, evil), { columns: 120, rows: 10 }, plain)
    assert.ok(!lines.join('').includes('\x1b'))
    assert.ok(!text({}, 120).includes('\x1b'))
  })

  test('paints only where there is colour', () => {
    const colour = styleOf(new FakeOutput(true), { TERM: 'xterm', LANG: 'C.UTF-8' })
    assert.ok(text({}, 120, 14, colour).includes('\x1b[7m'))
    const none = styleOf(new FakeOutput(true), { TERM: 'xterm', LANG: 'C.UTF-8', NO_COLOR: '1' })
    assert.ok(!text({}, 120, 14, none).includes('\x1b'))
  })

  test('says what it waits for, and what no filter finds', () => {
    const empty = renderTop(screen({}, new TopHistory()), { columns: 80, rows: 10 }, plain).join('\n')
    assert.match(empty, /waiting for the first second/)
    assert.match(text({ filter: 'nothing' }, 80), /no function or process matches "nothing"; Esc clears/)
  })
})

describe('the figures', () => {
  test('count a recursion once, and self for the innermost function only', () => {
    const { rows, samples } = history.data(1, 'total', '')
    const row = (name: string) => rows.find((r) => r.name === name)!
    assert.equal(samples, 75)
    assert.deepEqual([row('walk').self, row('walk').total], [5, 5])
    assert.deepEqual([row('main').self, row('main').total], [0, 75])
  })

  test('name the process that a function ran in most, and count the others', () => {
    const [row] = history.data(60, 'self', 'parse').rows
    assert.deepEqual([row!.process, row!.otherProcesses], ['node', 1])
  })

  test('are of the windows that are kept: a minute, not more', () => {
    const long = new TopHistory()
    for (let n = 0; n < 70; n++) long.add(second(1))
    assert.equal(long.length, 60)
    assert.equal(long.data(60, 'self', '').samples, 60 * 16)
    assert.equal(long.past(functionKey('parse', 'parse.c'), 'self').length, 60)
  })

  test('draw small counts as something, and nothing as nothing', () => {
    assert.equal(sparkline([0, 1, 100, 50], 4, plain), ' ▁█▄')
    assert.equal(sparkline(new Array(60).fill(0), 5, plain), '     ')
    assert.equal(sparkline([1, 1, 0, 2], 2, ascii), '##')
  })
})

test('a function is told with the callers of its outermost and the callees of its innermost call', () => {
  const detail = functionDetail([second(4)], functionKey('walk', 'walk.c'))
  assert.deepEqual(detail.callers, [{ name: 'main', samples: 5 }])
  assert.deepEqual([detail.callees, detail.self, detail.total], [[], 5, 5])
  assert.deepEqual([detail.path, detail.at, detail.isPathCut], [['main', 'walk'], 1, false])
  const main = functionDetail([second(30)], functionKey('main', 'main.c'))
  assert.deepEqual(main.callers, [{ name: '', samples: 45 }])
  assert.deepEqual(main.path, ['main', 'handle', 'parse'])
})

describe('keys', () => {
  const shown = { keys: ['a', 'b', 'c', 'd'], page: 2 }
  const after = (state: Partial<TopState>, ...keys: string[]): TopState | null =>
    keys.reduce<TopState | null>((now, key) => now && press(now, key, shown), { ...FIRST_STATE, ...state })

  test('are read from the bytes of a terminal, in any number at once', () => {
    assert.deepEqual(keysOf('\x1b[A\x1bOBj\x1b[5~'), ['up', 'down', 'j', 'page-up'])
    assert.deepEqual(keysOf('\x1b'), ['escape'])
    assert.deepEqual(keysOf('ä€😀\r\x7f\x03\x1a'), ['ä', '€', '😀', 'enter', 'backspace', 'ctrl-c', 'ctrl-z'])
    assert.deepEqual(keysOf('\x1b[38;5;1m\x1b[999~\x00\x01'), [])
  })

  test('choose a function that stays chosen when the order changes', () => {
    assert.equal(after({}, 'down')!.selected, 'b')
    assert.equal(after({}, 'up')!.selected, 'a')
    assert.equal(after({}, 'page-down', 'j', 'down', 'down')!.selected, 'd')
    assert.equal(after({ selected: 'd' }, 'g')!.selected, 'a')
    assert.equal(press({ ...FIRST_STATE, selected: 'c' }, 'up', { keys: ['c', 'a'], page: 2 })!.selected, 'c')
    assert.equal(press(FIRST_STATE, 'down', { keys: [], page: 2 })!.selected, '')
  })

  test('open the chosen function, and go back by Esc and q', () => {
    const open = after({}, 'down', 'enter')!
    assert.deepEqual([open.mode, open.selected], ['detail', 'b'])
    assert.equal(press(open, 'escape', shown)!.mode, 'list')
    assert.equal(press(open, 'q', shown)!.mode, 'list')
    assert.equal(press(open, 'ctrl-c', shown), null)
    assert.equal(after({}, 'q'), null)
  })

  test('filter by what is typed, letters that are commands too', () => {
    assert.deepEqual(after({}, '/', 'q', 's', 'ä', 'backspace', 'enter'), { ...FIRST_STATE, filter: 'qs' })
    assert.equal(after({}, '/', 'x', 'escape')!.filter, '')
    assert.equal(after({ filter: 'x' }, 'escape')!.filter, '')
    assert.equal(after({}, '/', 'ctrl-c'), null)
    assert.equal(after({ mode: 'filter', filter: 'x'.repeat(200) }, 'y')!.filter.length, 200)
    assert.equal(after({}, '/', 'up', 'x')!.filter, 'x')
  })

  test('sort, stop, change the time and explain', () => {
    assert.equal(after({}, 't')!.sort, 'total')
    assert.equal(after({}, 't', 's')!.sort, 'self')
    assert.equal(after({}, 'p')!.isPaused, true)
    assert.equal(after({}, 'p', ' ')!.isPaused, false)
    assert.deepEqual(
      [after({}, 'w')!.span, after({}, 'w', 'w')!.span, after({}, 'w', 'w', 'w')!.span],
      [60, 1, 10],
    )
    assert.equal(after({}, '?')!.mode, 'help')
    assert.equal(after({}, '?', '?')!.mode, 'list')
    assert.deepEqual(after({}, 'Z', 'x'), FIRST_STATE)
  })
})

describe('the command', () => {
  async function run(argv: readonly string[], host = {}) {
    const world = new FakeWorld({ cwd: '/', host })
    const done = runIn(world, argv, fakeDeps(second(20), world))
    const signals = setInterval(() => world.signal('SIGINT'), 10)
    const code = await done
    clearInterval(signals)
    assert.deepEqual(world.stdout.listeners, [], 'standard output is left as it was')
    return { code, out: world.stdout.text, err: world.stderr.text }
  }

  test('prints a frame of text where there is no terminal, until a signal', async () => {
    const { code, out } = await run(['top'])
    assert.equal(code, 0)
    assert.match(out, /^all processes of box · 0\.35 of 8 cores/)
    assert.match(out, /57\.1% ±\d+\.\d .* parse/)
    assert.ok(!out.includes('\x1b') && !out.includes('> ') && !out.includes('q quit'))
  })

  test('prints one object a window with --json', async () => {
    const { out } = await run(['top', '--json'])
    const object = JSON.parse(out)
    assert.deepEqual([object.schema, object.samples, object.rate_hz], ['emberscope.top/1', 35, 99])
    assert.deepEqual(object.functions[0], {
      name: 'parse',
      file: 'parse.c',
      self: 20,
      total: 20,
      process: 'node',
    })
  })

  test('refuses what no view can show, and a host without the rights', async () => {
    assert.throws(() => parseArguments(['top', '--', 'ls']), { code: 'usage', message: /running processes/ })
    assert.throws(() => parseArguments(['top', '-o', 'x.html']), { code: 'usage' })
    const { code } = await run(['top'], { uid: 1000, capabilities: 0n })
    assert.equal(code, 3)
    assert.equal((await run(['top', '999999'])).code, 4)
  })
})

test('the terminal is left without listeners of ours', () => {
  const streams = ['data', 'end', 'error', 'resize'] as const
  const fake = () => Object.assign(new EventEmitter(), { pause() {} })
  const [input, output] = [fake(), fake()]
  const terminal = new OwnTerminal(input as unknown as ReadStream, output as unknown as WriteStream)
  const keys: string[] = []
  terminal.onKey((key) => keys.push(key))
  terminal.onResize(() => keys.push('resize'))
  input.emit('data', 'q')
  output.emit('resize')
  assert.deepEqual(keys, ['q', 'resize'])
  terminal.close()
  const left = [input, output].flatMap((stream) => streams.map((event) => stream.listenerCount(event)))
  assert.ok(
    left.every((count) => count === 0),
    left.join(),
  )
})
