import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelFiles } from '../../../src/model/label-files.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

const one = { ...profileOf([{ frames: ['main', 'a'], count: 2 }]), timeNs: 1_000_000_000n, durationNs: 10n }
const two = { ...profileOf([{ frames: ['main', 'b'], count: 3 }]), timeNs: 1_000_000_012n, durationNs: 10n }
const files = (...paths: string[]) => paths.map((path, i) => ({ path, profile: i === 0 ? one : two }))

const fileLabels = (profile: typeof one) =>
  profile.labelSets.map((labels) => labels.filter(({ key }) => key === 'file').map(({ str }) => str))

test('one file is itself; the samples of several say which one they are of', () => {
  assert.equal(labelFiles(files('a.pb.gz')), one)
  const both = labelFiles(files('x/a.pb.gz', 'x/b.pb.gz'))
  assert.equal(checkProfile(both), null)
  assert.deepEqual(fileLabels(both).toSorted(), [['a.pb.gz'], ['b.pb.gz']])
  assert.equal(both.samples.stack.length, one.samples.stack.length + two.samples.stack.length)
})

test('names are as long as it takes to tell the files apart', () => {
  const names = (...paths: string[]) =>
    fileLabels(labelFiles(files(...paths)))
      .flat()
      .toSorted()
  assert.deepEqual(names('/r/1/cpu.pb.gz', '/r/2/cpu.pb.gz'), ['1/cpu.pb.gz', '2/cpu.pb.gz'])
  assert.deepEqual(names('/1/r/cpu.pb.gz', '/2/r/cpu.pb.gz'), ['1/r/cpu.pb.gz', '2/r/cpu.pb.gz'])
  assert.deepEqual(names('cpu.pb.gz', './cpu.pb.gz'), ['cpu.pb.gz (1)', 'cpu.pb.gz (2)'])
})

test('files of one time keep it, others begin together, which a comment says', () => {
  const near = labelFiles(files('a', 'b'))
  assert.equal(near.durationNs, 22n)
  const far = labelFiles([
    { path: 'a', profile: one },
    { path: 'b', profile: { ...two, timeNs: 9_000_000_000_000n } },
  ])
  assert.equal(far.durationNs, 10n)
  const unknown = labelFiles([
    { path: 'a', profile: one },
    { path: 'b', profile: { ...two, timeNs: 0n } },
  ])
  assert.equal(unknown.durationNs, 10n)
})

test('files of different sample types are refused, both by name', () => {
  const heap = { ...two, sampleTypes: two.sampleTypes.map(() => ({ type: 'space', unit: 'bytes' })) }
  assert.throws(() => labelFiles([...files('cpu.pb.gz'), { path: 'heap.pb.gz', profile: heap }]), {
    code: 'input_invalid',
    message:
      /^cannot show these files together: cpu\.pb\.gz has .*, heap\.pb\.gz has .*space\/bytes.*; open them one at a time$/,
  })
})
