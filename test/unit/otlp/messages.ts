/** OTLP messages by hand, valid or not: the parts of a minimal valid one, each replaceable. */
import { bytes, field, varint } from '../pprof/wire.ts'

export { bytes, field, varint }

/** fixed64 without its tag. */
export function fixed64(value: bigint): number[] {
  return [...new Uint8Array(new BigUint64Array([value]).buffer)]
}

/** Packed list in field `number`. */
export function packed(number: number, ...values: readonly (number | bigint)[]): number[] {
  return field(
    number,
    values.flatMap((value) => varint(value)),
  )
}

/** Tables of the dictionary as lists of entries, each the fields of one message; texts for the string table. */
export interface Tables {
  readonly mappings: readonly (readonly number[])[]
  readonly locations: readonly (readonly number[])[]
  readonly functions: readonly (readonly number[])[]
  readonly links: readonly (readonly number[])[]
  readonly strings: readonly string[]
  readonly attributes: readonly (readonly number[])[]
  readonly stacks: readonly (readonly number[])[]
}

/** samples/count of one stack main <- leaf, thread.name attribute, one link. */
export const TABLES: Tables = {
  mappings: [[], [...field(1, 0x1000), ...field(2, 0x9000), ...field(4, 6)]],
  locations: [
    [],
    [...field(1, 1), ...field(2, 0x1010), ...field(3, field(1, 1))],
    [...field(1, 1), ...field(2, 2n ** 64n - 16n), ...field(3, [...field(1, 2), ...field(2, 7)])],
  ],
  functions: [[], field(1, 3), field(1, 4)],
  links: [
    [],
    [
      ...field(
        1,
        Array.from({ length: 16 }, (_, i) => i + 1),
      ),
      ...field(2, [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
  ],
  strings: ['', 'samples', 'count', 'main', 'leaf', 'thread.name', '/bin/app'],
  attributes: [[], [...field(1, 5), ...field(2, field(1, 'worker'))]],
  stacks: [[], packed(1, 2, 1)],
}

export const TIME = 1_790_000_000_000_000_000n

export function times(...offsets: readonly bigint[]): number[] {
  return field(
    5,
    offsets.flatMap((offset) => fixed64(TIME + offset)),
  )
}

export const SAMPLE = [...field(1, 1), ...packed(2, 1), ...field(3, 1), ...times(0n, 999n)]

/** The fields of a Profile with these samples. */
export function profile(samples: readonly (readonly number[])[], ...more: readonly number[][]): number[] {
  return [
    ...field(1, [...field(1, 1), ...field(2, 2)]),
    ...samples.flatMap((sample) => field(2, sample)),
    ...varint((3 << 3) | 1),
    ...fixed64(TIME),
    ...field(4, 1000),
    ...field(5, []),
    ...more.flat(),
  ]
}

export function dictionary(tables: Partial<Tables> = {}): number[] {
  const all = { ...TABLES, ...tables }
  const entries: readonly (readonly (readonly number[] | string)[])[] = [
    all.mappings,
    all.locations,
    all.functions,
    all.links,
    all.strings,
    all.attributes,
    all.stacks,
  ]
  return entries.flatMap((table, i) => table.flatMap((entry) => field(i + 1, entry)))
}

/** A whole request: one resource, one scope. */
export function request(
  profiles: readonly (readonly number[])[] = [profile([SAMPLE])],
  tables: Partial<Tables> = {},
  resource: readonly number[] = field(1, [...field(1, 'service.name'), ...field(2, field(1, 'cart'))]),
): Uint8Array {
  const scope = [...field(1, field(1, 'test')), ...profiles.flatMap((one) => field(2, one))]
  return bytes(field(1, [...field(1, resource), ...field(2, scope)]), field(2, dictionary(tables)))
}
