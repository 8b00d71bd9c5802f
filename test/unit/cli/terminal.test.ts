import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ProgressOptions, progressLine } from '../../../src/cli/progress.ts'
import { bar, byteSize, clean, clip, fit, grouped, seconds, styleOf } from '../../../src/cli/terminal.ts'
import { FakeOutput } from '../../helpers/fake-world.ts'

const TTY = new FakeOutput(true, 120)
const PIPE = new FakeOutput(false)

function coloured(stream: FakeOutput, env: Record<string, string>): boolean {
  return styleOf(stream, env).paint('red', 'x') !== 'x'
}

describe('styleOf', () => {
  it('colours a terminal, unless NO_COLOR or TERM=dumb', () => {
    assert.equal(coloured(TTY, { TERM: 'xterm' }), true)
    assert.equal(coloured(TTY, { TERM: 'dumb' }), false)
    assert.equal(coloured(TTY, { NO_COLOR: '1' }), false)
    assert.equal(coloured(TTY, { NO_COLOR: '' }), true)
    assert.equal(coloured(PIPE, { TERM: 'xterm' }), false)
  })
  it('lets FORCE_COLOR decide, both ways', () => {
    assert.equal(coloured(PIPE, { FORCE_COLOR: '1', NO_COLOR: '1' }), true)
    assert.equal(coloured(TTY, { FORCE_COLOR: '0' }), false)
  })
  it('takes the width from COLUMNS, the terminal, or 80, within bounds', () => {
    const columns = (stream: FakeOutput, env: Record<string, string>) => styleOf(stream, env).columns
    assert.equal(columns(TTY, {}), 120)
    assert.equal(columns(TTY, { COLUMNS: '70' }), 70)
    assert.equal(columns(TTY, { COLUMNS: 'wide' }), 120)
    assert.equal(columns(new FakeOutput(false, 0), { COLUMNS: '0' }), 80)
    assert.equal(columns(TTY, { COLUMNS: '3' }), 40)
    assert.equal(columns(TTY, { COLUMNS: '99999' }), 160)
  })
  it('redraws only on a terminal that can', () => {
    assert.equal(styleOf(TTY, {}).redraws, true)
    assert.equal(styleOf(TTY, { TERM: 'dumb' }).redraws, false)
    assert.equal(styleOf(PIPE, {}).redraws, false)
  })
  it('believes the locale about UTF-8', () => {
    const unicode = (env: Record<string, string>) => styleOf(TTY, env).unicode
    assert.equal(unicode({}), true)
    assert.equal(unicode({ LANG: 'C' }), false)
    assert.equal(unicode({ LANG: 'C.UTF-8' }), true)
    assert.equal(unicode({ LC_ALL: 'de_DE.utf8', LANG: 'C' }), true)
    assert.equal(unicode({ LC_ALL: '', LC_CTYPE: 'POSIX', LANG: 'C.UTF-8' }), false)
  })
})

describe('text', () => {
  const style = styleOf(TTY, {})
  it('loses every character that could move the cursor or lie', () => {
    assert.equal(clean('a\x1b[1m\r\n\t\x7f\x9b\u200b\u202e\u2028é日'), 'a?[1m????????é日')
    assert.equal(clean('std::vector<int>::push_back(int const&)'), 'std::vector<int>::push_back(int const&)')
  })
  it('is cut and filled by characters, not by UTF-16 units', () => {
    assert.equal(clip('abcdef', 4, style), 'abc…')
    assert.equal(clip('abcd', 4, style), 'abcd')
    assert.equal(clip('abcd', 0, style), '')
    assert.equal(fit('𝒳𝒴', 4, style), '𝒳𝒴  ')
    assert.equal(fit('abcdef', 4, styleOf(TTY, { LANG: 'C' })), 'abc~')
  })
  it('draws bars in eighths', () => {
    assert.equal(bar(1, 4, style), '████')
    assert.equal(bar(0.5, 4, style), '██')
    assert.equal(bar(1 / 32, 4, style), '▏')
    assert.equal(bar(31 / 32, 4, style), '███▉')
    assert.equal(bar(0, 4, style), '')
    assert.equal(bar(7, 4, style), '████')
    assert.equal(bar(0.5, 4, styleOf(TTY, { LANG: 'C' })), '##')
  })
  it('gives numbers their units', () => {
    assert.deepEqual([999, 1000, 1_234_567].map(grouped), ['999', '1 000', '1 234 567'])
    assert.deepEqual([0, 1023, 1024, 1_048_576].map(byteSize), ['0 B', '1023 B', '1 kB', '1.0 MB'])
    assert.deepEqual([500, 1500, 10_000, 120_000].map(seconds), ['0.5 s', '1.5 s', '10 s', '120 s'])
  })
})

describe('progressLine', () => {
  function line(stream: FakeOutput, env: Record<string, string> = {}, durationMs: number | null = 10_000) {
    const clock = { ms: 0 }
    const style = styleOf(stream, env)
    const options: ProgressOptions = {
      stream,
      style,
      title: 'node (4242)',
      rateHz: 99,
      durationMs,
      nowMs: () => clock.ms,
    }
    return { progress: progressLine(options), clock }
  }
  it('redraws one line at most five times a second, and takes it away', () => {
    const stream = new FakeOutput(true, 200)
    const { progress, clock } = line(stream)
    progress.started()
    for (; clock.ms < 1000; clock.ms += 50) {
      progress.sampling({ samples: 612, elapsedMs: 6100, cores: 1.8, hottest: 'parse\x1bJson 31%' })
    }
    progress.end()
    progress.end()
    progress.phase('late')
    const drawn = stream.text.split('\r').slice(1)
    assert.equal(drawn.length, 1 + 4 + 1, 'start, 200, 400, 600, 800 ms, end')
    assert.equal(
      drawn[1],
      '● node (4242)  ▓▓▓▓▓▓░░░░  6.1/10 s  612 samples  1.80 cores  hot: parse?Json 31%  [Ctrl-C stops early]\x1b[K'.replace(
        '░  6',
        '░ 6',
      ),
    )
    assert.equal(drawn.at(-1), '\x1b[K')
    assert.ok(!stream.text.includes('\n'))
  })
  it('stays within the line', () => {
    const stream = new FakeOutput(true, 50)
    const { progress, clock } = line(stream)
    clock.ms = 1000
    progress.sampling({ samples: 1, elapsedMs: 1, cores: 1, hottest: 'x'.repeat(500) })
    assert.equal(Array.from(stream.text.replace('\r', '').replace('\x1b[K', '')).length, 49)
  })
  it('writes one line a phase where nothing can be redrawn', () => {
    const stream = new FakeOutput(false)
    const { progress } = line(stream)
    progress.started()
    progress.sampling({ samples: 1, elapsedMs: 1, cores: 1 })
    progress.phase('reading symbols')
    progress.end()
    progress.phase('late')
    assert.equal(stream.text, 'profile: sampling node (4242) at 99 Hz for 10 s\nprofile: reading symbols\n')
  })
  it('shows plain seconds without a time limit', () => {
    const stream = new FakeOutput(true, 200)
    const { progress } = line(stream, {}, null)
    progress.sampling({ samples: 0, elapsedMs: 2000, cores: 0 })
    assert.match(stream.text, /● node \(4242\) {2}2\.0 s {2}0 samples/)
  })
})
