/** What each filter does to stacks, against the slow and plain way: lists of names. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { datasetOf } from '../../../src/view/dataset.ts'
import { FilterChain } from '../../../src/view/filtered.ts'
import type { Chip } from '../../../src/view/state.ts'
import { type CallTree, pathTo } from '../../../src/view/tree.ts'
import { profileOf } from '../../helpers/sample-profile.ts'

interface Stack {
  readonly frames: readonly string[]
  readonly count: number
}

/** Self weights by path of names. */
type Weights = Record<string, number>

function summed(stacks: readonly Stack[]): Weights {
  const weights: Weights = {}
  for (const { frames, count } of stacks) weights[frames.join(';')] = (weights[frames.join(';')] ?? 0) + count
  return weights
}

function weightsOf(tree: CallTree): Weights {
  const weights: Weights = {}
  for (let node = 0; node < tree.count; node++) {
    if (tree.self[node] === 0) continue
    const path = pathTo(tree, node).slice(1)
    const key = path.map((at) => tree.frames.name[tree.frame[at]!]).join(';')
    weights[key] = (weights[key] ?? 0) + tree.self[node]!
  }
  return weights
}

const name = (chip: Chip): string => chip.text.slice(1, -1)

/** The definitions of state.ts, word by word. */
const ORACLE: Record<string, (stacks: readonly Stack[], chip: Chip) => Stack[]> = {
  hide: (stacks, chip) =>
    stacks.map(({ frames, count }) => ({ frames: frames.filter((frame) => frame !== name(chip)), count })),
  only: (stacks, chip) => stacks.filter(({ frames }) => frames.includes(name(chip))),
  drop: (stacks, chip) => stacks.filter(({ frames }) => !frames.includes(name(chip))),
  focus: (stacks, chip) =>
    stacks.flatMap(({ frames, count }) => {
      const at = frames.indexOf(name(chip))
      return at < 0 ? [] : [{ frames: frames.slice(at), count }]
    }),
  merge: (stacks, chip) =>
    stacks.map(({ frames, count }) => {
      const at = frames.indexOf(name(chip))
      return { frames: at < 0 ? frames : frames.slice(0, at), count }
    }),
  collapse: (stacks, chip) =>
    stacks.map(({ frames, count }) => {
      const out: string[] = []
      for (const frame of frames) {
        const shown = frame === name(chip) ? '[app]' : frame
        if (shown !== '[app]' || out.at(-1) !== '[app]') out.push(shown)
      }
      return { frames: out, count }
    }),
}
ORACLE.from = ORACLE.focus!

function applied(stacks: readonly Stack[], chips: readonly Chip[]): Weights {
  return summed(chips.reduce<readonly Stack[]>((left, chip) => ORACLE[chip.kind]!(left, chip), stacks))
}

const frame = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const stack = fc.record({
  frames: fc.array(frame, { minLength: 1, maxLength: 8 }),
  count: fc.integer({ min: 1, max: 9 }),
})
const chip = fc.record({
  kind: fc.constantFrom('hide', 'only', 'drop', 'focus', 'merge', 'from') as fc.Arbitrary<Chip['kind']>,
  text: frame.map((text) => `"${text}"`),
})

function chainOf(stacks: readonly Stack[]): FilterChain {
  return new FilterChain(datasetOf(profileOf(stacks)))
}

test('any filters in any order do what their definitions say', () => {
  fc.assert(
    fc.property(
      fc.array(stack, { minLength: 1, maxLength: 12 }),
      fc.array(chip, { maxLength: 4 }),
      (stacks, chips) => {
        assert.deepEqual(weightsOf(chainOf(stacks).tree(chips, 0, null, 'all')), applied(stacks, chips))
      },
    ),
    { numRuns: 400 },
  )
})

test('one step after the other, and back, is the same as all at once', () => {
  fc.assert(
    fc.property(
      fc.array(stack, { minLength: 1, maxLength: 12 }),
      fc.array(chip, { minLength: 1, maxLength: 5 }),
      (stacks, chips) => {
        const chain = chainOf(stacks)
        for (let n = 0; n <= chips.length; n++) chain.tree(chips.slice(0, n), 0, null, 'all')
        for (let n = chips.length; n >= 0; n--) {
          const tree = chain.tree(chips.slice(0, n), 0, null, 'all')
          assert.deepEqual(weightsOf(tree), applied(stacks, chips.slice(0, n)))
        }
      },
    ),
    { numRuns: 100 },
  )
})

test('hide, merge and collapse keep the whole weight; only and drop share it out', () => {
  fc.assert(
    fc.property(fc.array(stack, { minLength: 1, maxLength: 12 }), frame, (stacks, text) => {
      const chain = chainOf(stacks)
      const total = (kind: Chip['kind']): number =>
        chain.tree([{ kind, text: `"${text}"` }], 0, null, 'all').total[0]!
      const whole = stacks.reduce((sum, { count }) => sum + count, 0)
      for (const kind of ['hide', 'merge', 'collapse'] as const) assert.equal(total(kind), whole)
      assert.equal(total('only') + total('drop'), whole)
    }),
  )
})

test('neighbours that match collapse into one frame named after their library', () => {
  const stacks = [
    { frames: ['main', 'lib', 'lib', 'own', 'lib'], count: 2 },
    { frames: ['main', 'lib', 'own'], count: 3 },
  ]
  const tree = chainOf(stacks).tree([{ kind: 'collapse', text: '"lib"' }], 0, null, 'all')
  const [library] = [...tree.frames.libraries.keys()]
  const box = `[${library}]`
  assert.deepEqual(weightsOf(tree), { [`main;${box};own;${box}`]: 2, [`main;${box};own`]: 3 })
})

test('a filter that cannot be understood changes nothing and says why', () => {
  const chain = chainOf([{ frames: ['a'], count: 1 }])
  assert.match(chain.found('/(/').problem, /not a regular expression/)
  assert.equal(chain.tree([{ kind: 'only', text: '/(/' }], 0, null, 'all').total[0], 1)
})

test('stacks that filters take away are known by their number', () => {
  const chain = chainOf([
    { frames: ['a', 'b'], count: 1 },
    { frames: ['a', 'c'], count: 1 },
  ])
  const isLeft = chain.stacksLeft([
    { kind: 'hide', text: '"a"' },
    { kind: 'drop', text: '"b"' },
  ])
  const profile = profileOf([
    { frames: ['a', 'b'], count: 1 },
    { frames: ['a', 'c'], count: 1 },
  ])
  assert.deepEqual([...profile.samples.stack].map(isLeft), [false, true])
})
