import assert from 'node:assert/strict'
import { it } from 'node:test'
import { percentText } from '../../../src/stats/percent-text.ts'

it('shows the share and the larger half of its Wilson interval', () => {
  assert.equal(percentText(0, 0), '0.0% ±100.0')
  assert.equal(percentText(0, 10), '0.0% ±27.8')
  assert.equal(percentText(10, 10), '100.0% ±27.8')
  assert.equal(percentText(60, 100), '60.0% ±9.8')
  assert.equal(percentText(5000, 10_000), '50.0% ±1.0')
})
