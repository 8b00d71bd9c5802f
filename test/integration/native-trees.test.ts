/**
 * Our call trees beside those of `perf record --call-graph dwarf` on the same programs, inlined functions included: each
 * caller-callee pair has the same share of the samples, within what chance allows.
 */
import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { skipUnless } from '../helpers/host.ts'
import { profileTruth } from '../helpers/native-stacks.ts'
import { type PerfOptions, perfRecord } from '../helpers/perf.ts'
import { scratchDirectory } from '../helpers/profile-run.ts'
import { countStacks, edgeShares, type NamedStack, namedStacks } from '../helpers/stacks.ts'
import { truthCopy, truthProgram } from '../helpers/truth.ts'

const RATE_HZ = 199
const SECONDS = '5'
/** Bytes of stack that perf copies with a sample; more than these programs use. */
const PERF = 'dwarf,32768' as const
/** Differences are judged at 4.5 standard errors: there are some dozens of pairs. */
const Z = 4.5
/** The programs run twice, with other work beside them: shares themselves move by this much. */
const DRIFT = 0.01

/** Names as both tools can write them: without template arguments, arguments, return types and enclosing namespaces. */
function plainName(name: string): string {
  let text = name.replace(/ \[clone .*$/, '').replace(/operator(\(\)|[<>=]+)/g, 'operator')
  for (let before = ''; before !== text; ) {
    before = text
    text = text.replace(/<[^<>]*>|\([^()]*\)/g, '')
  }
  return text.replace(/ const\b.*$/, '').replace(/^.*(::| )/, '')
}

/** Repetitions are one: perf 6.1 shows a C++ function twice when its two names differ. */
function withPlainNames(stacks: readonly NamedStack[]): NamedStack[] {
  return stacks.map((stack) => ({
    ...stack,
    frames: stack.frames
      .map((frame) => ({
        ...frame,
        name: frame.isNamed ? plainName(frame.name) : frame.module,
        module: frame.module || 'libc', // perf's word for a function with two names, which is there in the C library
      }))
      .filter((frame, i, frames) => frame.name !== frames[i - 1]?.name),
  }))
}

/** Pairs whose shares differ by more than chance and drift explain, as lines to read. */
function differences(ours: readonly NamedStack[], theirs: readonly NamedStack[]): string[] {
  const [a, b] = [ours, theirs].map((stacks) => edgeShares(withPlainNames(stacks))) as [
    Map<string, number>,
    Map<string, number>,
  ]
  const [n, m] = [countStacks(ours), countStacks(theirs)]
  return [...new Set([...a.keys(), ...b.keys()])].sort().flatMap((edge) => {
    const [p, q] = [a.get(edge) ?? 0, b.get(edge) ?? 0]
    const both = Math.min(1, (p * n + q * m) / (n + m))
    const slack = Z * Math.sqrt(both * (1 - both) * (1 / n + 1 / m)) + DRIFT
    return Math.abs(p - q) <= slack
      ? []
      : [`${edge}: ${(100 * p).toFixed(2)} % of ours, ${(100 * q).toFixed(2)} % of perf's`]
  })
}

function withoutInlined(stack: NamedStack): NamedStack {
  return { ...stack, frames: stack.frames.filter(({ isInlined }) => !isInlined) }
}

interface Comparison extends PerfOptions {
  /** Samples that both sides leave out. */
  readonly without?: RegExp
  /** Pairs that perf does not show. */
  readonly unseen?: RegExp
  /** Only samples with such a frame are compared. */
  readonly only?: RegExp
}

async function compare(
  command: readonly string[],
  { without, unseen, only = /./, ...options }: Comparison = {},
): Promise<void> {
  const isCompared = ({ frames }: NamedStack) =>
    frames.some(({ name }) => only.test(name)) && !frames.some(({ name }) => without?.test(name))
  const { profile } = await profileTruth(command, RATE_HZ)
  const stacks = namedStacks(profile).filter(isCompared)
  const ours = options.inlines === false ? stacks.map(withoutInlined) : stacks
  const perf = perfRecord(RATE_HZ, command, scratchDirectory(), { callGraph: PERF, ...options })
  assert.ok(perf.stacks.length > RATE_HZ / 2, `perf took ${perf.stacks.length} samples`)
  const found = differences(ours, perf.stacks.filter(isCompared))
  assert.deepEqual(
    found.filter((line) => !unseen?.test(line)),
    [],
  )
}

// Of a static program perf 6.1 shows the leaf only: nothing to compare.
describe('call trees beside perf with DWARF', { skip: skipUnless('cc', 'c++', 'perf') }, () => {
  it('callbacks of qsort', () => compare([truthProgram('callbacks'), SECONDS]))

  // perf copies the stack that is in use: of a handler on a stack of its own it shows nothing below. And it gives functions
  // that are inlined in C++ the name of their caller.
  it('exceptions, sorting and clocks', () =>
    compare([truthProgram('exceptions'), SECONDS], { without: /(signal|timer)_handler/, inlines: false }))

  // When perf watches every CPU, it loses the outermost frames now and then.
  it('children of vfork, clones and threads', () => {
    const program = truthCopy('clones')
    return compare([program, SECONDS], { comm: basename(program), unseen: /^(_start|libc) > libc: / })
  })

  // perf keeps 127 frames of a stack at most, and the bytes above: a depth that it can show.
  it('60 frames of alloca, and 60 realigned ones', () => compare([truthProgram('realigned'), SECONDS, '60']))

  it('a recursion of 100 frames', () => compare([truthProgram('deep'), '100', SECONDS]))

  // Until the tables of the next library are known, the stacks in it are cut short, and said to be.
  it('libraries that are loaded where another was', () =>
    compare(
      [truthProgram('swapper'), truthProgram('swapped-a.so'), truthProgram('swapped-b.so'), SECONDS, '200'],
      { only: /^main$/ },
    ))
})
