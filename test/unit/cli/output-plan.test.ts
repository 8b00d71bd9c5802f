import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  defaultFileName,
  isStdout,
  numbered,
  parseOutput,
  parseOutputs,
} from '../../../src/cli/output-plan.ts'

describe('parseOutput', () => {
  it('takes the format from the extension', () => {
    const cases: [string, string][] = [
      ['a.html', 'html'], ['a.pb.gz', 'pprof'], ['a.pprof', 'pprof'], ['a.folded', 'folded'],
      ['a.speedscope.json', 'speedscope'], ['a.json', 'json'], ['/x/A.HTML', 'html'], ['./-.json', 'json'],
    ] // biome-ignore format: a table
    for (const [path, format] of cases) {
      assert.equal(parseOutput(path).format.name, format, path)
      assert.equal(parseOutput(path).path, path)
    }
  })
  it('writes folded text, or the text named behind the dash, to standard output', () => {
    const cases: [string, string][] = [
      ['-', 'folded'],
      ['-.folded', 'folded'],
      ['-.json', 'json'],
      ['-.speedscope.json', 'speedscope'],
    ]
    for (const [path, format] of cases) {
      assert.equal(parseOutput(path).format.name, format)
      assert.ok(isStdout(parseOutput(path)))
    }
  })
  it('refuses binary formats on standard output', () => {
    for (const path of ['-.html', '-.pb.gz', '-.pprof'])
      assert.throws(() => parseOutput(path), /is not text; give a file name/)
  })
  it('refuses unknown extensions with the known ones and the nearest', () => {
    assert.throws(() => parseOutput('a.htm'), {
      code: 'usage',
      message:
        '-o a.htm: unknown extension (did you mean .html?); use one of .html .pb.gz .pprof .otlp .folded .speedscope.json .otlp.json .json .csv .svg',
    })
    assert.throws(() => parseOutput('a.png'), /pictures of points are made by the page .*use \.svg/)
    for (const path of ['a', 'a.txt', 'a.gz']) assert.throws(() => parseOutput(path), /unknown extension/)
    for (const path of ['.html', 'x/.json'])
      assert.throws(() => parseOutput(path), /^AgentError: -o .*: a name is missing before \.(html|json)$/)
    assert.throws(() => parseOutput('out/'), /"out\/" is a directory/)
    assert.throws(() => parseOutput(''), /needs a file name/)
  })
  it('refuses the same place twice', () => {
    assert.throws(() => parseOutputs(['-', '-']), {
      code: 'usage',
      message: '-o - is given twice; one file holds one format',
    })
    assert.throws(() => parseOutputs(['-', '-.json']), /given twice/)
    assert.throws(() => parseOutputs(['a.html', 'a.html']), /-o a.html is given twice/)
    assert.equal(parseOutputs(['a.html', 'a.json', '-']).length, 3)
  })
})

describe('defaultFileName', () => {
  const now = new Date(2026, 4, 1, 14, 35, 2)
  it('holds name, pid and local time', () => {
    assert.equal(defaultFileName('node', 4242, now), 'profile-node-4242-20260501-143502.html')
    assert.equal(defaultFileName('all', 0, now), 'profile-all-20260501-143502.html')
  })
  it('keeps hostile names inside one directory', () => {
    assert.equal(defaultFileName('../../etc/x y\n$(a)', 7, now), 'profile-etc-x-y-a-7-20260501-143502.html')
    assert.equal(defaultFileName('\u202e///', 7, now), 'profile-process-7-20260501-143502.html')
    assert.ok(defaultFileName('n'.repeat(300), 7, now).length < 100)
  })
  it('counts on when a name is taken', () => {
    assert.deepEqual(
      [1, 2, 3].map((n) => numbered('a.html', n)),
      ['a.html', 'a-2.html', 'a-3.html'],
    )
  })
})
