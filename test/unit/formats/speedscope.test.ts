import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { FoldedReader } from '../../../src/formats/folded.ts'
import { writeSpeedscope } from '../../../src/formats/speedscope.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { capturedProfile } from './sample-profile.ts'

interface Document {
  readonly name: string
  readonly shared: { readonly frames: readonly { readonly name: string; readonly file?: string }[] }
  readonly profiles: readonly {
    readonly name: string
    readonly unit: string
    readonly endValue: number
    readonly samples: readonly (readonly number[])[]
    readonly weights: readonly number[]
  }[]
}

const schemaPath = createRequire(import.meta.url).resolve('speedscope/dist/release/file-format-schema.json')
const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(schemaPath, 'utf8')))

function write(profile: Profile): Document {
  const document = JSON.parse([...writeSpeedscope(profile)].join('')) as Document
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3)))
  return document
}

function stacks(document: Document, index: number): string[] {
  return document.profiles[index]!.samples.map((stack) => {
    return stack.map((frame) => document.shared.frames[frame]!.name).join(';')
  })
}

test('with times: one profile a thread, busiest first, in the order of time', () => {
  const document = write(capturedProfile())
  assert.equal(document.name, 'demo')
  assert.deepEqual(
    document.profiles.map(({ name, unit, endValue }) => [name, unit, endValue]),
    [
      ['demo (42/42)', 'nanoseconds', 40_404_040],
      ['worker (42/43)', 'nanoseconds', 30_303_030],
    ],
  )
  assert.deepEqual(stacks(document, 0), [
    'main;outer;inlined',
    'main;outer;inlined;sys_read',
    'main;outer;inlined',
    'main;demo+0x3fff;main',
  ])
  assert.deepEqual(stacks(document, 1), ['main;hot;js', 'main;demo+0x3fff', ''])
  assert.deepEqual(document.profiles[1]!.weights, [10_101_010, 10_101_010, 10_101_010])
})

test('without times: one profile of everything, in a unit speedscope knows', () => {
  const reader = new FoldedReader()
  reader.push('main;a 3\nmain;b 1\n')
  const document = write(reader.finish())
  assert.deepEqual(
    document.profiles.map(({ name, unit, endValue }) => [name, unit, endValue]),
    [['profile', 'none', 4]],
  )
  assert.deepEqual(stacks(document, 0), ['main;a', 'main;b'])
})

test('a function is one frame, wherever it was called or inlined', () => {
  const { frames } = write(capturedProfile()).shared
  assert.deepEqual(frames.filter(({ name }) => name === 'main').length, 1)
  assert.equal(new Set(frames.map(({ name, file }) => `${name} ${file}`)).size, frames.length)
})

test('an empty profile is still a valid file', () => {
  const samples = {
    stack: new Int32Array(0),
    labelSet: new Int32Array(0),
    timeNs: new Float64Array(0),
    values: [],
  }
  assert.equal(write({ ...capturedProfile(), samples }).profiles.length, 1)
})
