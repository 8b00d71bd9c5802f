/** The table of functions for spreadsheets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvLines, writeCsv } from '../../../src/formats/csv.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

test('has the functions of the profile, most self first, with shares and intervals', () => {
  const profile = profileOf([
    { frames: ['main', 'work'], count: 75 },
    { frames: ['main'], count: 25 },
  ])
  const lines = [...writeCsv(profile)]
  assert.match(lines[0]!, /^function,file,self \(\w+\),self %,self ± points,total/)
  assert.match(lines[1]!, /^work,.*,75\.000,\d+\.\d{3},.*,75\.000,/)
  assert.match(lines[2]!, /^main,.*,25\.000,\d+\.\d{3},.*,100\.000,/)
  assert.ok(lines.every((line) => line.endsWith('\r\n')))
})

test('runs no function name as a formula, and keeps quotes, commas and line breaks in their cell', () => {
  const names = ['=cmd()', '+1', '-1', '@x', '＝fullwidth', 'a,b', 'say "hi"', 'two\r\nlines', ' padded']
  const rows = names.map((name) => ({ name, file: '', self: 1, total: 1 }))
  const cells = [...csvLines(rows, { value: 9, samples: null, unit: 'count' })].slice(1)
  assert.deepEqual(
    cells.map((line) => line.slice(0, line.indexOf(',,'))),
    ["'=cmd()", "'+1", "'-1", "'@x", "'＝fullwidth", '"a,b"', '"say ""hi"""', 'two lines', '" padded"'],
  )
  assert.match(cells[0]!, /,1,11\.111,,1,11\.111,\r\n$/, 'no interval where nobody knows the samples')
})

test('an empty profile is the head alone', () => {
  assert.equal([...writeCsv(profileOf([]))].length, 1)
})
