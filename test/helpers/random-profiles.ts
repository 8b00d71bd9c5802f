/**
 * Samples drawn from a known distribution over stacks, for checks of the statistics: a tree of functions as programs have
 * them (a few hot paths, many cold ones, wrappers whose totals move together), and profiles that are samples of it.
 */
import type { Profile } from '../../src/model/profile.ts'
import { profileOf, randomNumbers } from './sample-profile.ts'

/** Stacks (root first) with the probability of each; the probabilities add up to 1. */
export interface StackDistribution {
  readonly stacks: readonly (readonly string[])[]
  readonly probability: Float64Array
}

/** `stacks` stacks over `functions` functions, with probabilities that fall like 1/rank. */
export function heavyTailedStacks(functions: number, stacks: number, seed: number): StackDistribution {
  const random = apart(seed)
  const pick = (): string => `f${Math.floor(functions * random() ** 2)}`
  const list: string[][] = [['main', 'run', 'loop']]
  while (list.length < stacks) {
    // A new stack leaves an old one at some depth, so that early frames are shared by many.
    const trunk = list[Math.floor(list.length * random() ** 1.5)]!
    const kept = trunk.slice(0, Math.max(3, Math.ceil(trunk.length * random() * 1.3)))
    const more = Array.from({ length: 1 + Math.floor(random() * 5) }, pick)
    list.push([...kept, ...more].slice(0, 40))
  }
  const weights = Float64Array.from(list, (_, rank) => 1 / (rank + 2))
  return { stacks: list, probability: normalised(weights) }
}

/** The same with the probability of all stacks through a function raised by `points` (a fraction), the others lowered alike. */
export function withShareRaised(
  { stacks, probability }: StackDistribution,
  name: string,
  points: number,
): StackDistribution {
  const has = stacks.map((frames) => frames.includes(name))
  const share = probability.reduce((sum, p, i) => sum + (has[i] ? p : 0), 0)
  const [up, down] = [(share + points) / share, (1 - share - points) / (1 - share)]
  return { stacks, probability: probability.map((p, i) => p * (has[i] ? up : down)) }
}

/** The share of the samples whose stack has a function. */
export function trueShare({ stacks, probability }: StackDistribution, name: string): number {
  return probability.reduce((sum, p, i) => sum + (stacks[i]!.includes(name) ? p : 0), 0)
}

/** Draws profiles of a distribution: their tables are alike, only the counts differ. */
export function drawing(distribution: StackDistribution, seed: number): (samples: number) => Profile {
  const random = apart(seed)
  const bounds = cumulated(distribution.probability)
  const base = profileOf(distribution.stacks.map((frames) => ({ frames, count: 1 })))
  return (samples) => {
    const counts = new Float64Array(distribution.stacks.length)
    for (let i = 0; i < samples; i++) counts[firstAbove(bounds, random())]!++
    const values = [counts, counts.map((count) => count * Number(base.period))]
    return { ...base, samples: { ...base.samples, values } }
  }
}

/** Draws whole numbers 0..n by their probabilities. */
export function drawingFrom(probability: Float64Array, seed: number): () => number {
  const random = apart(seed)
  const bounds = cumulated(probability)
  return () => firstAbove(bounds, random())
}

/** Numbers that have nothing to do with those of the next seed: neighbours would begin alike. */
function apart(seed: number): () => number {
  const random = randomNumbers(Math.imul(2 * seed + 1, 0x9e3779b1))
  for (let i = 0; i < 32; i++) random()
  return random
}

function normalised(weights: Float64Array): Float64Array {
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / sum)
}

function cumulated(probability: Float64Array): Float64Array {
  let sum = 0
  return probability.map((p) => {
    sum += p
    return sum
  })
}

function firstAbove(bounds: Float64Array, value: number): number {
  let [low, high] = [0, bounds.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (bounds[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}
