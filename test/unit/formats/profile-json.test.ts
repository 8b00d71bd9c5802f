import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { AgentError } from '../../../src/errors.ts'
import { readProfileJson, writeProfileJson } from '../../../src/formats/profile-json.ts'
import { readJson } from '../../../src/formats/read-json.ts'
import { buildReport } from '../../../src/formats/report.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { CAPTURE, capturedProfile } from './sample-profile.ts'

const ajv = new Ajv({ allErrors: true })
const schema = (name: string) => ajv.compile(JSON.parse(readFileSync(resolve('src/formats', name), 'utf8')))
const isProfile = schema('profile.schema.json')
const isReport = schema('report.schema.json')

const write = (profile: Profile) => [...writeProfileJson(profile)].join('')

function failure(change: (json: Record<string, unknown>) => void): string {
  const json = JSON.parse(write(capturedProfile())) as Record<string, unknown>
  change(json)
  try {
    readProfileJson(JSON.parse(JSON.stringify(json)))
  } catch (error) {
    assert.ok(error instanceof AgentError && error.code === 'input_invalid', String(error))
    return error.message
  }
  return 'no error'
}

/** Everything a double or a plain object could lose. */
const EXTREME: Profile = {
  ...capturedProfile(),
  capture: null,
  periodType: null,
  declaredDefaultType: '',
  samples: {
    ...capturedProfile().samples,
    timeNs: null,
    wideValues: new Map([
      [0, 2n ** 63n - 1n],
      [13, -(2n ** 63n)],
    ]),
  },
  labelSets: [[{ key: '__proto__', num: -(2n ** 60n) }], [{ key: 'a', str: '\u2028"\\' }]],
}

test('keeps a whole profile, and its text is valid by the schema', () => {
  const sources = [{ fileName: '/src/a.c', firstLine: 7, lines: ['int main() {', '', '\u2028'] }]
  for (const profile of [capturedProfile(), EXTREME, { ...capturedProfile(), sources }]) {
    const text = write(profile)
    assert.ok(isProfile(JSON.parse(text)), JSON.stringify(isProfile.errors))
    assert.deepEqual(readProfileJson(JSON.parse(text)), profile)
  }
})

test('starts with its schema, so that a look at the head tells what it is', () => {
  assert.ok(write(capturedProfile()).startsWith('{"schema":"emberscope.profile/1"'))
})

test('keeps columns longer than one written piece', () => {
  const rows = 10_000
  const profile = {
    ...capturedProfile(),
    samples: {
      stack: Int32Array.from({ length: rows }, (_, row) => (row % 7) - 1),
      labelSet: new Int32Array(rows),
      timeNs: Float64Array.from({ length: rows }, (_, row) => row / 3),
      values: [new Float64Array(rows).fill(1), new Float64Array(rows).fill(2)],
    },
  }
  assert.deepEqual(readProfileJson(JSON.parse(write(profile))), profile)
})

test('other JSON is told from damaged JSON, with the path of the fault', () => {
  assert.match(
    failure((json) => delete json.schema),
    /^not a profile of ours: it has no "schema"/,
  )
  assert.match(
    failure((json) => {
      json.schema = 'emberscope.profile/2'
    }),
    /^not a profile of ours: its "schema" is 'emberscope.profile\/2', we read 'emberscope.profile\/1'$/,
  )
  for (const text of ['null', '[]', '3', '"x"', '{}']) {
    assert.throws(() => readJson(text), /^AgentError: not a profile of ours/)
  }
  assert.throws(() => readJson('{"schema":'), /^AgentError: the JSON is damaged: /)
})

test('every wrong type is refused by its path', () => {
  const damaged = (path: string, wanted: string) => `the JSON profile is damaged: "${path}" must be ${wanted}`
  const bigint = 'a decimal string of at most 64 bits'
  assert.equal(
    failure((json) => delete json.period),
    damaged('period', bigint),
  )
  assert.equal(
    failure((json) => Object.assign(json, { time_ns: '9'.repeat(20) })),
    damaged('time_ns', bigint),
  )
  assert.equal(
    failure((json) => Object.assign(json, { comments: [1] })),
    damaged('comments[0]', 'a string'),
  )
  assert.equal(
    failure((json) => Object.assign(json, { stacks: 1 })),
    damaged('stacks', 'an object'),
  )
  assert.equal(
    failure((json) => Object.assign(json, { stacks: { parent: [0.5], location: [0] } })),
    damaged('stacks.parent[0]', 'a 32-bit integer'),
  )
  assert.equal(
    failure((json) => Object.assign(json.capture as object, { samples: { captured: '1' } })),
    damaged('capture.samples.captured', 'a number'),
  )
  assert.equal(
    failure((json) => Object.assign(json, { stacks: { parent: [3], location: [0] } })),
    'the JSON profile is damaged: stack node 0 has parent 3',
  )
})

test('the report is valid by its schema and counts what the profile holds', () => {
  const files = [{ path: 'x.html', format: 'html', bytes: 1000 }]
  const report = buildReport(capturedProfile(), files)
  assert.ok(isReport(JSON.parse(JSON.stringify(report))), JSON.stringify(isReport.errors))
  assert.deepEqual(Object.keys(report), [
    ...['schema', 'target', 'rate_hz', 'duration_ns', 'samples', 'stacks', 'frames', 'overhead', 'timing'],
    ...['top', 'files', 'notes'],
  ])
  const [first] = report.top
  assert.deepEqual([first?.name, first?.self, first?.total], ['inlined', 2, 3])
  // Wilson, 2 of 7.
  assert.deepEqual(
    first?.ci95.map((bound) => bound.toFixed(4)),
    ['0.0822', '0.6411'],
  )
  assert.deepEqual(report.samples, CAPTURE.samples)
  assert.deepEqual(report.files, files)
})

test('the schema of the report allows no key that nobody documented', () => {
  const report = { ...buildReport(capturedProfile(), []), more: 1 }
  assert.equal(isReport(report), false)
})

test('a profile of other producers has no report', () => {
  assert.throws(() => buildReport({ ...capturedProfile(), capture: null }, []), { code: 'internal' })
})
