import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AgentError } from '../../../src/errors.ts'
import {
  decodeResponse,
  decodeResponseJson,
  decodeStatus,
  decodeStatusJson,
  encodeResponse,
  encodeStatus,
} from '../../../src/otlp/response.ts'

test('P-25: full success is an empty body, partial success has a count and a reason', () => {
  assert.equal(encodeResponse({ rejected: 0, message: '' }).length, 0)
  assert.deepEqual(decodeResponse(new Uint8Array()), { rejected: 0, message: '' })
  const bytes = encodeResponse({ rejected: 3, message: 'link 7 ü' })
  assert.equal(Buffer.from(bytes).toString('hex'), '0a0d080312096c696e6b203720c3bc')
  assert.deepEqual(decodeResponse(bytes), { rejected: 3, message: 'link 7 ü' })
  assert.deepEqual(decodeResponse(encodeResponse({ rejected: 0, message: 'slow down' })), {
    rejected: 0,
    message: 'slow down',
  })
})

test('P-25: the same in JSON, 64-bit numbers as text or not', () => {
  assert.deepEqual(decodeResponseJson('{}'), { rejected: 0, message: '' })
  for (const count of ['"3"', '3']) {
    const text = `{"partialSuccess":{"rejectedProfiles":${count},"errorMessage":"x"},"new":1}`
    assert.deepEqual(decodeResponseJson(text), { rejected: 3, message: 'x' })
  }
  for (const text of ['', 'ok', '[', '3', 'null', '{"partialSuccess":{"rejectedProfiles":"many"}}']) {
    assert.throws(() => decodeResponseJson(text), AgentError)
  }
})

test('P-26, P-28: a status carries code, message and the delay of its RetryInfo', () => {
  const status = { code: 8, message: 'too many', retryDelayMs: 2500 }
  assert.deepEqual(decodeStatus(encodeStatus(status)), status)
  assert.deepEqual(decodeStatus(encodeStatus({ ...status, retryDelayMs: null })), {
    ...status,
    retryDelayMs: null,
  })
  assert.deepEqual(decodeStatus(encodeStatus({ ...status, retryDelayMs: 0 })), { ...status, retryDelayMs: 0 })
  const text =
    '{"code":8,"message":"too many","details":[{"@type":"type.googleapis.com/google.rpc.Help"},' +
    '{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2.5s"}]}'
  assert.deepEqual(decodeStatusJson(text), status)
  assert.equal(decodeStatusJson('{"code":8,"details":[{"@type":5}]}').retryDelayMs, null)
})

test('a delay that no one means is a day at most, and never negative', () => {
  assert.equal(
    decodeStatus(encodeStatus({ code: 8, message: '', retryDelayMs: 1e15 })).retryDelayMs,
    86_400_000,
  )
  assert.equal(decodeStatus(encodeStatus({ code: 8, message: '', retryDelayMs: -5000 })).retryDelayMs, 0)
})

test('garbage is an error or an answer, never a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      for (const decode of [decodeResponse, decodeStatus]) {
        try {
          decode(bytes)
        } catch (error) {
          assert.ok(error instanceof AgentError && error.code === 'input_invalid', String(error))
        }
      }
    }),
  )
})
