/** What the README and the notices list, against the tables they describe. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ERROR_CODES } from '../../src/errors.ts'

test('the README lists every error code with its exit code and meaning', () => {
  const rows = readFileSync('README.md', 'utf8').matchAll(/^\| `(\w+)` \| (\d+) \| (.+) \|$/gm)
  const listed = [...rows].map(([, code, exit, meaning]) => [code, { exit: Number(exit), meaning }])
  assert.deepEqual(Object.fromEntries(listed), ERROR_CODES)
})

test('the notices name every bundled package in the version of the lockfile', () => {
  const notices = readFileSync('THIRD_PARTY_NOTICES', 'utf8')
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { version: string }>
  }
  const bundled = /^node_modules\/(d3-.*|node-gyp-build|pprof-format|node-addon-api)$/
  for (const [path, { version }] of Object.entries(packages).filter(([path]) => bundled.test(path))) {
    const name = path.replace('node_modules/', '')
    assert.ok(notices.includes(`${name} ${version}`), `${name} ${version} is not in THIRD_PARTY_NOTICES`)
  }
})

test('the packages that the agent loads have their notices beside them', () => {
  const notices = readFileSync('dist/packages/notices.txt', 'utf8')
  const { dependencies } = JSON.parse(readFileSync('node_modules/@grpc/grpc-js/package.json', 'utf8')) as {
    dependencies: Record<string, string>
  }
  const names = ['yaml', '@opentelemetry/otlp-transformer', '@grpc/grpc-js', ...Object.keys(dependencies)]
  for (const name of names) assert.ok(notices.includes(`\n${name} `), `${name} is not in the notices`)
})

test('no lockfile entry names a host', () => {
  assert.doesNotMatch(readFileSync('package-lock.json', 'utf8'), /"resolved"/)
})
