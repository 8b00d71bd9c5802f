/** fast-check arbitraries of whole profiles, corners included: what a round trip must give back equal. */
import fc from 'fast-check'
import { FRAME_KINDS, type Label, type Profile } from '../../src/model/profile.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', '\ufeffmark', '</script>', '\u0000'),
)
const index = (length: number, low = 0): fc.Arbitrary<number> => fc.integer({ min: low, max: length - 1 })
const wide = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })
const value = fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.double(), fc.maxSafeInteger())

const label: fc.Arbitrary<Label> = fc.oneof(
  fc.record({ key: text, str: text }),
  fc.record({
    key: text,
    num: fc.oneof(fc.double({ noNaN: true }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n })),
    unit: text,
  }),
)

/** Any profile whose indices are in range. */
export const anyProfile: fc.Arbitrary<Profile> = fc
  .record({
    mappings: fc.nat(3),
    functions: fc.nat(5),
    labelSets: fc.nat(3),
    types: fc.nat(3),
    rows: fc.nat(12),
    stacks: fc.nat(12),
  })
  .chain((size) => {
    const rows = size.stacks > 0 ? size.rows : 0
    const functions = fc.record({ name: text, systemName: text, fileName: text, startLine: fc.nat() })
    const flags = {
      hasFunctions: fc.boolean(),
      hasFilenames: fc.boolean(),
      hasLineNumbers: fc.boolean(),
      hasInlineFrames: fc.boolean(),
    }
    const mapping = fc.record({
      start: wide,
      limit: wide,
      fileOffset: wide,
      fileName: text,
      buildId: text,
      ...flags,
    })
    const line = fc.record({
      function: index(Math.max(1, size.functions)),
      line: fc.nat(),
      column: fc.nat(300),
    })
    const location = fc.record({
      mapping: index(size.mappings, -1),
      address: wide,
      lines: fc.array(line, { maxLength: size.functions > 0 ? 3 : 0 }),
      isFolded: fc.boolean(),
      kind: fc.constantFrom(...FRAME_KINDS),
      unnamedReason: fc.constantFrom('', 'no_symbols'),
    })
    const columns = (count: number): fc.Arbitrary<Float64Array[]> =>
      fc.array(
        fc.array(value, { minLength: rows, maxLength: rows }).map((v) => Float64Array.from(v)),
        { minLength: count, maxLength: count },
      )
    const of = <T>(item: fc.Arbitrary<T>, length: number): fc.Arbitrary<T[]> =>
      fc.array(item, { minLength: length, maxLength: length })
    return fc.record({
      sampleTypes: of(fc.record({ type: text, unit: text }), size.types),
      defaultSampleType: index(Math.max(1, size.types)),
      periodType: fc.option(fc.record({ type: text, unit: text })),
      period: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      timeNs: fc.bigInt({ min: 0n, max: 2n ** 63n }),
      durationNs: fc.bigInt({ min: 0n, max: 2n ** 63n }),
      mappings: of(mapping, size.mappings),
      functions: of(functions, size.functions),
      locations: of(location, 4),
      stacks: fc.record({
        parent: fc
          .tuple(...Array.from({ length: size.stacks }, (_, i) => index(i, -1)))
          .map((v) => Int32Array.from(v)),
        location: of(index(4), size.stacks).map((v) => Int32Array.from(v)),
      }),
      samples: fc.record({
        stack: of(index(size.stacks, -1), rows).map((v) => Int32Array.from(v)),
        labelSet: of(index(size.labelSets, -1), rows).map((v) => Int32Array.from(v)),
        timeNs: fc.option(
          of(fc.oneof(fc.nat(), fc.double({ noNaN: true })), rows).map((v) => Float64Array.from(v)),
        ),
        values: columns(size.types),
      }),
      labelSets: of(fc.array(label, { maxLength: 3 }), size.labelSets),
      comments: fc.array(text, { maxLength: 2 }),
      dropFrames: text,
      keepFrames: text,
      docUrl: text,
      capture: fc.constant(null),
    })
  })
  // Records come without a prototype, which a strict comparison would notice.
  .map((profile) => structuredClone(profile))
