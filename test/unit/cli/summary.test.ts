import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accountingLines } from '../../../src/cli/accounting.ts'
import { hottestPath } from '../../../src/cli/hottest-path.ts'
import { type SummaryOptions, summaryLines, targetTitle } from '../../../src/cli/summary.ts'
import { styleOf } from '../../../src/cli/terminal.ts'
import type { CaptureReport, Profile } from '../../../src/model/profile.ts'
import { FAKE_REPORT, FakeOutput, fakeProfile } from '../../helpers/fake-world.ts'

function style(env: Record<string, string> = {}, columns = 100) {
  return styleOf(new FakeOutput(false, columns), env)
}

const PROFILE = fakeProfile([
  { frames: [{ name: 'main' }, { name: 'decode' }, { name: 'parseJson', file: 'src/json.ts' }], samples: 60 },
  { frames: [{ name: 'main' }, { name: 'decode' }, { name: 'tcp_sendmsg', kind: 'kernel' }], samples: 30 },
  { frames: [{ name: 'main' }, { name: 'idle' }], samples: 10 },
])

function lines(options: Partial<SummaryOptions> = {}, profile: Profile = PROFILE): string[] {
  const rest = { files: [], opened: '', afterFiles: [], style: style() }
  return summaryLines(profile, profile.capture!, { ...rest, ...options })
}

describe('summaryLines', () => {
  it('prints what was measured, how well, where the time went, and the file', () => {
    const files = [{ path: 'profile-node-4242.html', format: 'html', bytes: 421_888 }]
    assert.deepEqual(lines({ files, opened: 'opened in your browser' }), [
      'node (pid 4242) · 10.0 s · 1.01 cores · 1 000 samples @ 99 Hz',
      ' 10 lost · complete 90.9% ±2.0 · named 95.0% ±1.5 · cost 42 ms CPU, 50.0 MB',
      '   60.0% ±9.8   ████████████  parseJson                       src/json.ts',
      '   30.0% ±9.6   ██████        tcp_sendmsg',
      '   10.0% ±7.4   ██            idle',
      ' user 70.0% ±9.6 · kernel 30.0% ±9.6',
      ' hottest path 60.0% ±9.8: main › decode › parseJson',
      ' note: kernel names are hidden',
      ' → profile-node-4242.html (412 kB)   opened in your browser',
    ])
  })
  it('gives every percentage its interval', () => {
    for (const line of lines()) {
      for (const match of line.matchAll(/%(.{0,3})/g)) assert.match(match[1]!, /^ ±\d/, line)
    }
  })
  it('never has more than 20 lines, the files and notes included', () => {
    const frames = Array.from({ length: 50 }, (_, i) => ({ frames: [{ name: `f${i}` }], samples: 60 - i }))
    const notes = Array.from({ length: 9 }, (_, i) => `note ${i}`)
    const files = Array.from({ length: 9 }, (_, i) => ({ path: `f${i}.json`, format: 'json', bytes: 10 }))
    const all = lines({ files, afterFiles: ['scp', 'ssh'] }, fakeProfile(frames, { notes }))
    assert.equal(all.length, 20)
    assert.ok(all.includes(' note: 7 more with -v'))
    assert.ok(all.includes(' → and 6 more files'))
    assert.ok(lines({}, fakeProfile(frames, { notes: [] })).length <= 20)
  })
  it('fits into the width of the terminal, narrow and wide', () => {
    const long = fakeProfile([
      {
        frames: [{ name: 'n'.repeat(300), file: `/usr/${'p'.repeat(300)}/x.c` }, { name: 'm'.repeat(300) }],
        samples: 5,
      },
    ])
    for (const columns of [40, 59, 60, 79, 80, 100, 160]) {
      const table = lines({ style: style({}, columns) }, long).filter((line) => line.includes('100.0% ±43.4'))
      for (const line of table) assert.ok(Array.from(line).length <= columns, `${columns}: ${line}`)
      assert.ok(table.length > 0)
    }
  })
  it('leaves out the start of a path of calls that is too long', () => {
    const frames = ['a', 'b', 'c', 'd'].map((name) => ({ name: name.repeat(30) }))
    const [line] = lines({}, fakeProfile([{ frames, samples: 5 }])).filter((l) => l.includes('hottest'))
    assert.equal(line, ` hottest path 100.0% ±43.4: ${'c'.repeat(30)} › ${'d'.repeat(30)}`)
  })
  it('names the kernel shortly', () => {
    const profile = fakeProfile([
      { frames: [{ name: 'f', file: '[kernel.kallsyms]', kind: 'kernel' }], samples: 5 },
    ])
    assert.match(lines({}, profile).join('\n'), / {2}\[kernel\]\n/)
  })
  it('keeps the end of a long path', () => {
    const profile = fakeProfile([
      { frames: [{ name: 'f', file: `/usr/src/${'d/'.repeat(60)}json.c` }], samples: 5 },
    ])
    assert.match(lines({}, profile).join('\n'), / d\/[d/]*\/json\.c\n/)
  })
  it('shows names of hostile programs without their control characters', () => {
    const profile = fakeProfile([{ frames: [{ name: 'evil\x1b[2J\u202ename\n' }], samples: 5 }])
    const text = lines({}, profile).join('\n')
    assert.ok(text.includes('evil?[2J?name?'))
    assert.ok(!text.includes('\x1b'))
  })
  it('works in ASCII, and colours only when asked', () => {
    const text = lines({ style: style({ LC_ALL: 'C' }) }).join('\n')
    assert.match(text, /^[\x0a\x20-\x7e]+$/)
    assert.ok(text.includes('60.0% +-9.8  ############'))
    assert.ok(!lines().join('').includes('\x1b'))
    assert.ok(lines({ style: style({ FORCE_COLOR: '1' }) })[0]!.startsWith('\x1b[1mnode'))
  })
})

describe('targetTitle', () => {
  it('names one process, several, and all', () => {
    const target = (pids: number[]): CaptureReport['target'] => ({ kind: 'pids', name: 'nginx', pids })
    assert.equal(targetTitle(target([7]), 'box'), 'nginx (pid 7)')
    assert.equal(targetTitle(target([7, 8]), 'box'), 'nginx (2 processes: 7, 8)')
    assert.equal(targetTitle(target([7, 8, 9, 10]), 'box'), 'nginx (4 processes: 7, 8, 9, ...)')
    assert.equal(targetTitle({ kind: 'all', name: 'all', pids: [] }, 'box'), 'all processes of box')
  })
})

describe('hottestPath', () => {
  it('joins the call sites of one function', () => {
    const profile = fakeProfile([
      { frames: [{ name: 'main' }, { name: 'hot' }], samples: 6 },
      { frames: [{ name: 'main' }, { name: 'hot' }], samples: 6 },
      { frames: [{ name: 'main' }, { name: 'cold' }], samples: 7 },
    ])
    assert.deepEqual(hottestPath(profile, 4), { names: ['main', 'hot'], samples: 12 })
  })
  it('stops where no callee has half of its caller, and shows the end of a deep one', () => {
    const deep = Array.from({ length: 100 }, (_, i) => ({ name: `f${i}` }))
    assert.deepEqual(hottestPath(fakeProfile([{ frames: deep, samples: 3 }]), 2), {
      names: ['f98', 'f99'],
      samples: 3,
    })
    const flat = ['a', 'b', 'c'].map((name) => ({ frames: [{ name: 'main' }, { name }], samples: 1 }))
    assert.equal(hottestPath(fakeProfile(flat), 4), null)
  })
  it('counts a recursion once in the names', () => {
    const profile = fakeProfile([
      { frames: [{ name: 'main' }, { name: 'r' }, { name: 'r' }, { name: 'r' }], samples: 2 },
    ])
    assert.deepEqual(hottestPath(profile, 4)?.names, ['main', 'r'])
  })
  it('has nothing to say about nothing', () => {
    assert.equal(hottestPath(fakeProfile([]), 4), null)
  })
})

describe('accountingLines', () => {
  it('prints sums that come out, with their reasons, largest first', () => {
    const text = accountingLines(FAKE_REPORT)
    assert.equal(text[0], 'samples  captured 1000 = kept 990 + dropped 10 (ring_full 10)')
    assert.equal(
      text[1],
      'stacks   kept 990 = complete 900 + approximate 60 + truncated 30 (depth 20, no_rows 10)',
    )
    assert.equal(text[2], 'frames   2000 = named 1900 + unnamed 100 (no_symbols 90, jit 10)')
    assert.equal(
      text[3],
      'cost     42.0 ms CPU, of it BPF 3.0 ms in 4000 runs (2400 ns a captured sample, 200 ns any other run); memory 50.0 MB',
    )
    assert.equal(text.at(-1), 'note     kernel names are hidden')
  })
})
