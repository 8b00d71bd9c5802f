/**
 * Our bytes by OpenTelemetry's own generated schema (proto 1.11, in Go), and its bytes by our decoder. The reader of the
 * schema is built here in seconds from Go's module proxy; without Go or a way to it, the reason is printed.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeRequest } from '../../src/otlp/decode.ts'
import { encodeProfilesData, encodeRequests } from '../../src/otlp/encode.ts'
import { fromJson } from '../../src/otlp/json.ts'
import { field, packed, profile, request, times } from '../unit/otlp/messages.ts'
import { anyForeign, anyWindow, SCOPE } from '../unit/otlp/profiles.ts'

const SOURCE = resolve('test/peers/schema')
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'emberscope-peers')
const SCHEMA = join(CACHE, 'otlp-schema-1.11.1')
const CASES = 25

/** Why it cannot run, or false. */
function skipWithoutSchema(): string | false {
  if (existsSync(SCHEMA)) return false
  mkdirSync(CACHE, { recursive: true })
  const env = { ...process.env, GOFLAGS: '-mod=mod -buildvcs=false', CGO_ENABLED: '0' }
  const args = ['build', '-trimpath', '-o', SCHEMA, '.']
  const { error, status, stderr } = spawnSync('go', args, { cwd: SOURCE, env, timeout: 300_000 })
  if (status === 0) return false
  return `no reader of the schema: ${error?.message ?? String(stderr).slice(0, 300)}`
}

function schema(input: string | Uint8Array, ...args: readonly string[]): Buffer {
  const { status, stdout, stderr } = spawnSync(SCHEMA, args, { input, maxBuffer: 1 << 28, timeout: 60_000 })
  assert.equal(status, 0, String(stderr))
  return stdout
}

/** Both ways: what the schema reads of our bytes, and what we read of the schema's. */
function assertAgrees(bytes: Uint8Array): void {
  const ours = decodeRequest(bytes)
  const theirs = schema(bytes)
  assert.deepEqual(fromJson(String(theirs)), ours)
  assert.deepEqual(decodeRequest(schema(theirs, '-encode')), ours)
}

describe("OpenTelemetry's own schema", { skip: skipWithoutSchema() }, () => {
  it('reads every window as we wrote it, and knows every field', () => {
    const windows = fc.sample(anyWindow, { numRuns: CASES, seed: 5 })
    const requests = windows.flatMap(({ profile: one, split }) => encodeRequests(one, split, SCOPE, 1 << 22))
    assert.ok(requests.length > CASES / 2)
    for (const { bytes } of requests) assertAgrees(bytes)
  })

  it('P-61: reads files of other producers as we wrote them', () => {
    for (const one of fc.sample(anyForeign, { numRuns: CASES, seed: 6 })) {
      assertAgrees(encodeProfilesData(one, SCOPE))
    }
  })

  it('P-14: agrees on numbers beyond 2^53, below zero and at the ends of 64 bits', () => {
    const values = [9_007_199_254_740_993n, -(2n ** 63n), 2n ** 63n - 1n, -1n]
    const sample = [...field(1, 1), ...packed(4, ...values), ...times(0n, 1n, 2n, 2n ** 62n)]
    assertAgrees(
      request([profile([sample], field(7, [...Array(16).keys()]), field(9, 'pprof'), field(10, [0, 255]))]),
    )
  })
})
