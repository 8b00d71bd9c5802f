import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sourceChunks } from '../../../src/symbolize/source-chunks.ts'

const LIMITS = { linesAround: 2, lineCharacters: 10, characters: 1000 }
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}`)
const cut = (text: string, lines: number[], limits = {}) =>
  sourceChunks(text, lines, { ...LIMITS, ...limits })

describe('what surrounds a line', () => {
  it('is as many lines before and after, as far as the text goes', () => {
    const text = `${numbered(9).join('\n')}\n`
    assert.deepEqual(cut(text, [5]).list, [{ firstLine: 3, lines: numbered(7).slice(2) }])
    assert.deepEqual(cut(text, [1]).list, [{ firstLine: 1, lines: numbered(3) }])
    assert.deepEqual(cut(text, [9]).list, [{ firstLine: 7, lines: numbered(9).slice(6) }])
  })
  it('is one chunk where lines are near each other, whatever their order', () => {
    const text = numbered(40).join('\n')
    const { list } = cut(text, [30, 7, 12, 30])
    assert.deepEqual(
      list.map(({ firstLine, lines }) => [firstLine, lines.length]),
      [
        [5, 10],
        [28, 5],
      ],
    )
  })
  it('knows the line ends of other systems', () => {
    assert.deepEqual(cut('a\r\nb\rc\n', [2]).list, [{ firstLine: 1, lines: ['a', 'b', 'c'] }])
  })
  it('is nothing behind the end of the text, and of an empty one', () => {
    assert.deepEqual(cut('a\n', [2, 99]).list, [])
    assert.deepEqual(cut('', [1]).list, [])
  })
  it('cuts long lines, and ends before it is too much', () => {
    assert.deepEqual(cut('0123456789abc', [1]).list, [{ firstLine: 1, lines: ['0123456789…'] }])
    const { list, isWhole } = cut(numbered(40).join('\n'), [5, 30], { characters: 60 })
    assert.deepEqual([list.length, isWhole], [1, false])
  })
  it('shows every wanted line once, as it is in the text', () => {
    const lines = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), lines, (count, wanted) => {
        const shown = new Map<number, string>()
        for (const { firstLine, lines: texts } of cut(numbered(count).join('\n'), wanted).list)
          for (const [i, text] of texts.entries()) {
            assert.ok(!shown.has(firstLine + i))
            shown.set(firstLine + i, text)
          }
        for (const line of wanted) assert.equal(shown.get(line), line <= count ? `line ${line}` : undefined)
      }),
    )
  })
})
