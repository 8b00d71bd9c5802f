/** Reads OTLP requests of metrics, logs and traces by field numbers, so that tests need no code of the side that wrote them. */
import assert from 'node:assert/strict'

type Field = bigint | Buffer
/** Field number -> values in order; fixed and varint fields as unsigned bigint. */
type Message = ReadonlyMap<number, readonly Field[]>

export function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, Field[]>()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      assert.ok(at < bytes.length && shift < 70n, 'a varint ends')
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    assert.ok(at + length <= bytes.length, 'a field ends within its message')
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const wire = tag & 7
    let value: Field
    if (wire === 0) value = varint()
    else if (wire === 1) value = take(8).readBigUInt64LE()
    else if (wire === 2) value = take(Number(varint()))
    else if (wire === 5) value = BigInt(take(4).readUInt32LE())
    else assert.fail(`wire type ${wire}`)
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value])
  }
  return fields
}

const messages = (message: Message, field: number) =>
  (message.get(field) ?? []).map((value) => readMessage(value as Buffer))
const text = (message: Message, field: number) => (message.get(field)?.[0] ?? '').toString()
const integer = (message: Message, field: number) => Number(message.get(field)?.[0] ?? 0)

function doubleOf(bits: bigint): number {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(bits)
  return buffer.readDoubleLE()
}

function attributes(message: Message, field: number): Record<string, unknown> {
  const value = (any: Message) => {
    const [[kind, [first]]] = [...any.entries()] as [[number, Field[]]]
    if (kind === 1) return first!.toString()
    if (kind === 2) return first === 1n
    if (kind === 3) return Number(first)
    if (kind === 4) return doubleOf(first as bigint)
    return assert.fail(`a value of kind ${kind}`)
  }
  return Object.fromEntries(
    messages(message, field).map((pair) => [text(pair, 1), value(messages(pair, 2)[0]!)]),
  )
}

/** The resource's attributes, the scope, and the items below it: all our requests have one of each. */
function single(bytes: Buffer) {
  const [ofResource, ...others] = messages(readMessage(bytes), 1)
  assert.equal(others.length, 0)
  const [ofScope, ...otherScopes] = messages(ofResource!, 2)
  assert.equal(otherScopes.length, 0)
  const scope = messages(ofScope!, 1)[0]!
  return {
    resource: attributes(messages(ofResource!, 1)[0]!, 1),
    scope: { name: text(scope, 1), version: text(scope, 2) },
    items: messages(ofScope!, 2),
  }
}

export function readMetrics(bytes: Buffer) {
  const { resource, scope, items } = single(bytes)
  const metrics = items.map((metric) => {
    const [gauge] = messages(metric, 5)
    const [sum] = messages(metric, 7)
    const points = messages((gauge ?? sum)!, 1).map((point) => ({
      labels: attributes(point, 7),
      value: point.has(4)
        ? doubleOf(point.get(4)![0] as bigint)
        : Number(BigInt.asIntN(64, (point.get(6)?.[0] as bigint) ?? 0n)),
      startNs: point.get(2)?.[0] ?? 0n,
      timeNs: point.get(3)?.[0] ?? 0n,
    }))
    return {
      name: text(metric, 1),
      description: text(metric, 2),
      unit: text(metric, 3),
      kind: gauge ? 'gauge' : 'sum',
      isCumulative: sum !== undefined && integer(sum, 2) === 2,
      isMonotonic: sum !== undefined && integer(sum, 3) === 1,
      points,
    }
  })
  return { resource, scope, metrics }
}

export function readLogs(bytes: Buffer) {
  const { resource, scope, items } = single(bytes)
  const records = items.map((record) => ({
    timeMs: Number((record.get(1)![0] as bigint) / 1_000_000n),
    severity: integer(record, 2),
    level: text(record, 3),
    body: text(messages(record, 5)[0]!, 1),
    attributes: attributes(record, 6),
  }))
  return { resource, scope, records }
}

export function readSpans(bytes: Buffer) {
  const { resource, scope, items } = single(bytes)
  const hex = (message: Message, field: number) =>
    ((message.get(field)?.[0] ?? Buffer.alloc(0)) as Buffer).toString('hex')
  const spans = items.map((span) => ({
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentId: hex(span, 4),
    name: text(span, 5),
    startMs: Number((span.get(7)![0] as bigint) / 1_000_000n),
    endMs: Number((span.get(8)![0] as bigint) / 1_000_000n),
    attributes: attributes(span, 9),
    status: messages(span, 15).map((status) => ({ code: integer(status, 3), message: text(status, 2) }))[0],
  }))
  return { resource, scope, spans }
}
