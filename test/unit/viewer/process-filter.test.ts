import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Profile } from '../../../src/model/profile.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { onlyProcess, processShares } from '../../../src/viewer/data/process-filter.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

function ofProcesses(...rows: readonly (readonly [string, number])[]): Profile {
  const profile = profileOf(rows.map(([name, count]) => ({ frames: ['main', `in_${name}`], count })))
  const labelSets = rows.map(([str]) => (str === '' ? [] : [{ key: 'comm', str }]))
  const samples = {
    ...profile.samples,
    labelSet: Int32Array.from(rows, (_, i) => i),
    timeNs: Float64Array.from(rows, (_, i) => i * 1e9),
  }
  return { ...profile, labelSets, samples }
}

test('processes come by weight; there is no choice where there is one, or none has a name', () => {
  assert.deepEqual(processShares(ofProcesses(['a', 1], ['b', 5], ['a', 2]), 0), [
    { name: 'b', value: 5 },
    { name: 'a', value: 3 },
  ])
  assert.deepEqual(processShares(ofProcesses(['a', 1], ['a', 2]), 0), [])
  assert.deepEqual(processShares(ofProcesses(['a', 1], ['', 2]), 0), [])
  assert.deepEqual(processShares(ofProcesses(['', 1]), 0), [])
  assert.deepEqual(processShares(profileOf([]), 0), [])
})

test('one process is its rows with their times and values, and nothing of others', () => {
  const profile = ofProcesses(['a', 1], ['b', 5], ['a', 2])
  const only = onlyProcess(profile, 'a')
  assert.equal(checkProfile(only), null)
  assert.deepEqual([...only.samples.values[0]!], [1, 2])
  assert.deepEqual([...only.samples.timeNs!], [0, 2e9])
  assert.equal(onlyProcess(profile, 'gone').samples.stack.length, 0)
  assert.equal(onlyProcess(profile, ''), profile)
})
