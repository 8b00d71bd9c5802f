import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JsonObjects, type JsonShape, JsonStreamFault } from '../../../src/identity/json-objects.ts'

function cut(shape: JsonShape, text: string, step: number, maxBytes = 1e6) {
  const found: unknown[] = []
  const objects = new JsonObjects(shape, maxBytes, (one) => found.push(JSON.parse(one)))
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += step) objects.feed(bytes.subarray(at, at + step))
  return { found, objects }
}

const ITEMS = [{ a: '}{]["\\\\\\"' }, { b: [{ c: {} }], ü: '€' }, {}]

test('objects come out whole, wherever the chunks end', () => {
  const text = `${ITEMS.map((item) => JSON.stringify(item)).join('\n')}\n`
  for (let step = 1; step < text.length + 2; step++) {
    const { found, objects } = cut('sequence', text, step)
    assert.deepEqual(found, ITEMS)
    assert.ok(objects.complete)
  }
})

test('items of a list come out one by one, what is around them at the end', () => {
  const text = JSON.stringify({
    kind: 'PodList',
    metadata: { resourceVersion: '7', x: [1] },
    items: ITEMS,
    z: 1,
  })
  for (let step = 1; step < text.length + 2; step++) {
    const { found, objects } = cut('items', text, step)
    assert.deepEqual(found, ITEMS)
    assert.deepEqual(JSON.parse(objects.envelope), {
      kind: 'PodList',
      metadata: { resourceVersion: '7', x: [1] },
      items: [],
      z: 1,
    })
  }
})

test('a stream that breaks off is not complete', () => {
  for (const text of ['{', '{"a', '{"a":[{}]', '{"a":"\\"']) {
    const { found, objects } = cut('sequence', text, 3)
    assert.deepEqual(found, [])
    assert.equal(objects.complete, false)
  }
})

test('garbage is a fault at once', () => {
  for (const text of ['garbage', '}', '{}]', '{} x {}', '"a"', '\u0000\u0001<html>']) {
    assert.throws(() => cut('sequence', text, 5), JsonStreamFault, text)
  }
  assert.throws(() => cut('items', `{"a":"${'x'.repeat(70_000)}"}`, 4096), JsonStreamFault)
  assert.throws(() => cut('items', ']', 1), JsonStreamFault)
})

test('an object larger than allowed is a fault before it is held', () => {
  const endless = `{"a":"${'x'.repeat(10_000)}`
  assert.throws(() => cut('sequence', endless, 100, 2_000), JsonStreamFault)
  assert.throws(() => cut('items', `{"items":[${endless}`, 100, 2_000), JsonStreamFault)
  assert.equal(cut('sequence', '{"a":1}{"a":2}', 4, 7).found.length, 2)
})

test('nesting of any depth is only counted', () => {
  const deep = '{"a":'.repeat(100_000)
  assert.equal(cut('sequence', deep, 4096, 1e7).objects.complete, false)
})
