import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinesAnswer, NamesAnswer } from '../../../src/symbolize/answer.ts'

function linesAnswer(count: number, lines: readonly string[]): LinesAnswer {
  const answer = new LinesAnswer(count)
  for (const line of lines) answer.take(line)
  return answer
}

test('reads strings, rows and counts of a lines answer', () => {
  const answer = linesAnswer(3, [
    's _Z3onev',
    's /src/a file.c',
    'a 2 0 1 10 3 9 -1 1 20 0 0',
    'done uncovered=2 missing_alternate=1',
  ])
  assert.equal(answer.state, 'done')
  assert.deepEqual(answer.rows, [
    undefined,
    undefined,
    [
      { name: '_Z3onev', file: '/src/a file.c', line: 10, column: 3, startLine: 9 },
      { name: '', file: '/src/a file.c', line: 20, column: 0, startLine: 0 },
    ],
  ])
  assert.deepEqual(
    [...answer.counts],
    [
      ['uncovered', 2],
      ['missing_alternate', 1],
    ],
  )
})

test('keeps the rows that came before a damaged line', () => {
  const answer = linesAnswer(2, ['s f', 'a 0 0 -1 1 1 1', 'a 1 7 -1 1 1 1', 'a 1 0 -1 1 1 1'])
  assert.equal(answer.state, 'bad')
  assert.equal(answer.rows[0]?.[0]?.name, 'f')
  assert.equal(answer.rows[1], undefined)
})

test('refuses indices and string numbers beyond what was asked and sent', () => {
  for (const line of [
    'a 2',
    'a -1',
    'a 0 0 0 1 1 1',
    'a 0 -1',
    'a 1e0',
    'a',
    'a 0 -2 -1 1 1 1',
    'hello',
    '',
  ]) {
    assert.equal(linesAnswer(2, [line]).state, 'bad', line)
  }
})

test('takes line numbers beyond 31 bits as unknown', () => {
  const answer = linesAnswer(1, ['a 0 -1 -1 99999999999 -1 x'])
  assert.deepEqual(answer.rows[0], [{ name: '', file: '', line: 0, column: 0, startLine: 0 }])
})

test('refuses a row of more frames than any compiler makes', () => {
  assert.equal(linesAnswer(1, [`a 0${' -1 -1 1 1 1'.repeat(512)}`]).state, 'open')
  assert.equal(linesAnswer(1, [`a 0${' -1 -1 1 1 1'.repeat(513)}`]).state, 'bad')
})

test('tells the reason of a refused request', () => {
  const answer = linesAnswer(1, ['failed not_elf The file was not recognized'])
  assert.equal(answer.state, 'failed')
  assert.deepEqual(answer.failure, { reason: 'not_elf', text: 'The file was not recognized' })
})

test('pairs readable names with the names asked', () => {
  const answer = new NamesAnswer(['_Z1fv', 'main.c'])
  for (const line of ['d f()', '=', 'done']) answer.take(line)
  assert.equal(answer.state, 'done')
  assert.deepEqual(answer.readable, ['f()', 'main.c'])
})

test('refuses more or fewer names than asked', () => {
  for (const lines of [['d f()', '=', '='], ['=', 'done'], ['d '], ['done']]) {
    const answer = new NamesAnswer(['_Z1fv', 'g'])
    for (const line of lines) answer.take(line)
    assert.equal(answer.state, 'bad', lines.join('|'))
  }
})

test('never throws and never grows beyond the rows asked, whatever comes', () => {
  const word = fc.oneof(
    fc.constantFrom('a', 's', 'done', 'failed', '=', 'd', '0', '-1', '1'),
    fc.string({ maxLength: 5 }),
  )
  const line = fc.array(word, { maxLength: 14 }).map((words) => words.join(' '))
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const answer = linesAnswer(3, lines)
      const names = new NamesAnswer(['x', 'y'])
      for (const one of lines) names.take(one)
      assert.equal(answer.rows.length, 3)
      assert.ok(names.readable.length <= 2)
    }),
  )
})
