/** ProcessContext messages as bytes, valid or not: a writer of its own, so that reader and writer share no mistake. */

export function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0))
    if (rest < 128) return Buffer.from(bytes)
  }
}

/** A field of wire type 2. */
export function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

export const textValue = (text: Buffer | string) => field(1, text)
export const intValue = (value: number) => Buffer.concat([varint(3 * 8), varint(value)])

/** A key and value of a resource. */
export function attribute(key: Buffer | string, value: Buffer): Buffer {
  return field(1, Buffer.concat([field(1, key), field(2, value)]))
}

/** A context whose resource has these attributes. */
export function contextOf(...attributes: readonly Buffer[]): Buffer {
  return field(1, Buffer.concat(attributes))
}
