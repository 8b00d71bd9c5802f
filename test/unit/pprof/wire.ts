/** Builds protobuf bytes by hand, valid or not, for the tests of the pprof reader. */

/** A varint of the low 64 bits of `value`. */
export function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value))
  const bytes: number[] = []
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return [...bytes, Number(rest)]
}

/** Field `number` as varint (a number or bigint), text or sub-message. */
export function field(number: number, value: number | bigint | string | readonly number[]): number[] {
  if (typeof value === 'number' || typeof value === 'bigint')
    return [...varint(number << 3), ...varint(value)]
  const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value
  return [...varint((number << 3) | 2), ...varint(bytes.length), ...bytes]
}

export function bytes(...parts: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flat())
}

/** Strings 0… of a file, '' first. */
export function strings(...texts: readonly string[]): number[] {
  return ['', ...texts].flatMap((text) => field(6, text))
}
