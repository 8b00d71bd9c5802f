import assert from 'node:assert/strict'
import { test } from 'node:test'
import { framesOf, libraryOf } from '../../../src/view/frames.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

test('a function that belongs to nothing known is a group under its own name, whole', () => {
  const names = ['(garbage collector)', '<script>x</script>', 'std::vec::push', 'java.util.List.add', 'main']
  const frames = framesOf(profileOf([{ frames: names, count: 1 }]), true)
  const groups = names.map((name) => libraryOf(frames, frames.name.indexOf(name)))
  assert.deepEqual(groups, ['(garbage collector)', '<script>x</script>', 'std', 'java.util', 'main'])
})
