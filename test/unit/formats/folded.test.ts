import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../src/errors.ts'
import { FoldedReader, writeFolded } from '../../../src/formats/folded.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { capturedProfile } from './sample-profile.ts'

function read(...chunks: string[]): Profile {
  const reader = new FoldedReader()
  for (const chunk of chunks) reader.push(chunk)
  const profile = reader.finish()
  assert.equal(checkProfile(profile), null)
  return profile
}

const write = (profile: Profile, root?: 'comm' | 'thread') =>
  [...writeFolded(profile, root ? { root } : {})].join('')

function failure(text: string): string {
  try {
    read(text)
  } catch (error) {
    assert.ok(error instanceof AgentError && error.code === 'input_invalid', String(error))
    return error.message
  }
  return 'no error'
}

test('writes root first, one line a stack, sorted, with suffixes and safe names', () => {
  assert.equal(
    write(capturedProfile()),
    [
      '[no stack] 1',
      'main;demo+0x3fff 1',
      'main;demo+0x3fff;main 1',
      'main;hot:js_[j] 1',
      'main;outer;inlined_[i] 2',
      'main;outer;inlined_[i];sys_read_[k] 1',
      '',
    ].join('\n'),
  )
})

test('puts the command or the thread below each stack on request', () => {
  const comm = write(capturedProfile(), 'comm').split('\n')
  assert.ok(comm.includes('demo;main;outer;inlined_[i] 2'), comm.join('\n'))
  const thread = write(capturedProfile(), 'thread').split('\n')
  assert.ok(thread.includes('worker-43;main;hot:js_[j] 1'), thread.join('\n'))
  assert.ok(thread.includes('demo-42;main;outer;inlined_[i] 2'), thread.join('\n'))
})

test('keeps control characters of hostile names from the terminal', () => {
  assert.equal(write(read('a\x1b[31m;b\x7f\x9b2J\tc 1\n')), 'a?[31m;b??2J?c 1\n')
})

test('counts samples where there are any, else the default column', () => {
  const profile = capturedProfile()
  const renamed = { ...profile, sampleTypes: [{ type: 'alloc', unit: 'count' }, profile.sampleTypes[1]!] }
  assert.match(write(renamed), /^main;outer;inlined_\[i\] 20202020$/m)
})

test('adds up what reads the same, and leaves out what weighs nothing', () => {
  assert.equal(write(read('a;b 1\na;b 2\nc 0\nd 1.5\n')), 'a;b 3\nd 1.5\n')
})

test('takes suffixes off into kinds and inlined lines', () => {
  const { locations, functions, stacks } = read('main;outer;in1_[i];in2_[i];read_[k];klib_[i];js_[j] 4\n')
  const shown = locations.map(({ kind, lines }) => [
    kind,
    ...lines.map((line) => functions[line.function]!.name),
  ])
  assert.deepEqual(
    [...stacks.location].map((index) => shown[index]),
    [
      ['native', 'main'],
      ['native', 'in2', 'in1', 'outer'],
      ['kernel', 'klib', 'read'],
      ['jit', 'js'],
    ],
  )
})

test('text of its own survives both ways', () => {
  const text =
    'a;b_[i];b_[i];c_[k];d_[i] 3\na;b_[j] 1\nroot inlined_[i];x 2\nwith space;operator new (int) 5\n'
  assert.equal(write(read(text)), text)
})

test('reads the same from pieces of any size', () => {
  const text = '# comment\n\nmain;ä;漢 1\r\nmain;b 2\nlast 3'
  const whole = read(text)
  assert.equal(write(whole), 'last 3\nmain;b 2\nmain;ä;漢 1\n')
  for (const size of [1, 2, 7]) {
    const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
    assert.deepEqual(read(...pieces), whole)
  }
})

test('what is no stack is refused with its line', () => {
  assert.equal(failure(''), 'not folded stacks: there is no line in it')
  assert.match(
    failure('hello world\n'),
    /^not folded stacks at line 1, which does not end in a space and a number/,
  )
  assert.match(failure('a;b 1\n\na;c one\n'), /^the folded stacks are damaged at line 3, .*: 'a;c one'$/)
  assert.match(
    failure(`a 1\n${'x'.repeat(9e6)}`),
    /line 2 has more than 8388608 characters, which is our limit$/,
  )
  assert.match(failure(`a${';b_[i]'.repeat(1200)} 1`), /more than 1000 frames inlined into one, at line 1/)
})

const frame = fc
  .tuple(fc.stringMatching(/^[a-z:() ]{1,6}[a-z]$/), fc.constantFrom('', '_[k]', '_[j]', '_[i]'))
  .map(([name, suffix]) => name.trim() + suffix)

test('any folded text comes back sorted and added up, nothing else', () => {
  const stack = fc.array(frame, { minLength: 1, maxLength: 6 }).map((frames) => frames.join(';'))
  fc.assert(
    fc.property(fc.array(fc.tuple(stack, fc.integer({ min: 1, max: 99 })), { minLength: 1 }), (rows) => {
      const sums = new Map<string, number>()
      for (const [line, weight] of rows) sums.set(line, (sums.get(line) ?? 0) + weight)
      const text = write(read(rows.map(([line, weight]) => `${line} ${weight}\n`).join('')))
      const lines = text.trimEnd().split('\n')
      assert.deepEqual(lines.toSorted(), [...sums].map(([line, weight]) => `${line} ${weight}`).toSorted())
      assert.equal(write(read(text)), text)
    }),
    { numRuns: 300 },
  )
})

test('random text is a profile or one of our errors', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.notEqual(failure(text), '')
    }),
  )
})
