import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContextReader, contextMapping, findContext } from '../../../src/identity/process-context.ts'
import { decodeContext, MalformedContext } from '../../../src/identity/process-context-payload.ts'
import { attribute, contextOf, field, intValue, textValue, varint } from '../../helpers/process-context.ts'

const shop = attribute('service.name', textValue('shop'))

test('C-03: mappings are known by their names, all three shapes, and executable ones are none', () => {
  const line = (name: string, permissions = 'rw-p') =>
    contextMapping(`7f01c0de0000-7f01c0de1000 ${permissions} 00000000 00:01 4711   ${name}`)
  for (const name of [
    '[anon_shmem:OTEL_CTX]',
    '[anon:OTEL_CTX]',
    '/memfd:OTEL_CTX (deleted)',
    '/memfd:OTEL_CTX',
  ])
    assert.equal(line(name), 0x7f01c0de0000n, name)
  for (const name of [
    '',
    '/tmp/OTEL_CTX',
    '/tmp/[anon:OTEL_CTX]',
    '[anon:other]',
    'OTEL_CTX',
    '/memfd:x OTEL_CTX',
  ])
    assert.equal(line(name), null, name)
  assert.equal(line('[anon:OTEL_CTX]', 'rwxp'), null)
  assert.equal(line('[anon:OTEL_CTX]', '---p'), null)
  assert.equal(contextMapping('garbage [anon:OTEL_CTX]'), null)
})

test('values of every type that a resource can have', () => {
  const list = (...elements: Buffer[]) => field(5, Buffer.concat(elements.map((one) => field(1, one))))
  const double = Buffer.concat([varint(4 * 8 + 1), Buffer.from(new Float64Array([1.5]).buffer)])
  const context = contextOf(
    shop,
    attribute('n', intValue(42)),
    attribute('yes', Buffer.concat([varint(2 * 8), varint(1)])),
    attribute('half', double),
    attribute('list', list(textValue('a'), textValue('b'))),
    attribute('process.runtime.name', textValue('nodejs')),
  )
  assert.deepEqual(decodeContext(context), {
    attributes: {
      'service.name': 'shop',
      n: 42,
      yes: true,
      half: 1.5,
      list: ['a', 'b'],
      'process.runtime.name': 'nodejs',
    },
    refused: 0,
  })
})

test('C-05: a process cannot claim to be another pod, host or process', () => {
  const keys =
    'k8s.pod.name host.name host container.id process.pid process.executable.name os.type cloud.region'
  const context = contextOf(shop, ...keys.split(' ').map((key) => attribute(key, textValue('claimed'))))
  assert.deepEqual(decodeContext(context), { attributes: { 'service.name': 'shop' }, refused: 8 })
})

test('C-05: keys and values are bounded, and what is refused is counted', () => {
  const many = Array.from({ length: 200 }, (_, i) => attribute(`k${i}`, intValue(i)))
  assert.deepEqual(
    [
      Object.keys(decodeContext(contextOf(...many)).attributes).length,
      decodeContext(contextOf(...many)).refused,
    ],
    [128, 72],
  )
  const odd = [
    attribute('', textValue('x')),
    attribute('a b', textValue('x')),
    attribute('k'.repeat(257), textValue('x')),
    attribute('long', textValue('x'.repeat(4097))),
    attribute('bytes', field(7, 'x')),
    attribute('none', Buffer.alloc(0)),
    attribute('kvlist', field(6, field(1, Buffer.concat([field(1, 'a'), field(2, textValue('b'))])))),
  ]
  assert.deepEqual(decodeContext(contextOf(...odd, shop)), {
    attributes: { 'service.name': 'shop' },
    refused: 7,
  })
})

test('C-05: the last of equal keys counts, and a key that names no attribute of objects is only a key', () => {
  const context = contextOf(
    shop,
    attribute('service.name', textValue('two')),
    attribute('__proto__', textValue('x')),
  )
  const { attributes } = decodeContext(context)
  assert.equal(attributes['service.name'], 'two')
  assert.equal(Object.getPrototypeOf(attributes), Object.prototype)
})

test('attributes outside of the resource and unknown fields are stepped over', () => {
  const context = Buffer.concat([
    field(2, shop),
    contextOf(shop),
    field(99, 'x'),
    Buffer.concat([varint(98 * 8), varint(7)]),
  ])
  assert.deepEqual(decodeContext(context).attributes, { 'service.name': 'shop' })
  assert.deepEqual(decodeContext(Buffer.alloc(0)), { attributes: {}, refused: 0 })
})

test('C-05: lists in lists to any depth are not followed', () => {
  let value = textValue('x')
  for (let depth = 0; depth < 8_000; depth++) value = field(5, field(1, value))
  assert.deepEqual(decodeContext(contextOf(attribute('deep', value))), { attributes: {}, refused: 1 })
})

test('C-05: malformed bytes are a fault, at every length and with every byte flipped', () => {
  const whole = contextOf(shop, attribute('n', intValue(300)))
  for (let length = 1; length < whole.length; length++)
    assert.throws(() => decodeContext(whole.subarray(0, length)), MalformedContext, `${length} bytes`)
  for (let at = 0; at < whole.length; at++)
    for (const bits of [0x01, 0x80, 0xff]) {
      const damaged = Buffer.from(whole)
      damaged[at]! ^= bits
      try {
        decodeContext(damaged)
      } catch (error) {
        assert.ok(error instanceof MalformedContext, String(error))
      }
    }
  assert.throws(() => decodeContext(contextOf(attribute('a', textValue(Buffer.from([0xff]))))), /UTF-8/)
})

test("a process without a context, a process that is gone, an address that is nobody's", async () => {
  assert.equal(findContext(process.pid), null)
  assert.equal(findContext(2 ** 22 + 1), null)
  const reader = new ContextReader()
  assert.equal(await reader.readAt(2 ** 22 + 1, 4096n, null), null)
  for (const address of [0n, -1n, 1n << 63n, (1n << 64n) - 1n, 4096n])
    assert.equal(await reader.readAt(process.pid, address, null), 'unreadable', String(address))
  assert.equal(reader.stalled, false)
})
