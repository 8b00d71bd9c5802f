/**
 * A rate per target: who has which share of the highest rate, and what a sample then stands for. The timer has the highest
 * rate; when that changes, all rates change with it.
 */
import type { RateUsed } from '../model/profile.ts'

/** One target by one selector, and its share of the highest rate: 0 (never sampled) to 1. */
export interface RateShare {
  readonly by: 'cgroup' | 'pidNamespace' | 'comm' | 'pid'
  /** Directory of a cgroup v2, inode, thread name, or pid. */
  readonly value: string | number
  readonly share: number
}

export interface RatePlan {
  /** Of what no rule names. */
  readonly baseShare: number
  /** The first that names a task decides. */
  readonly rules: readonly RateShare[]
}

/** All targets have the same rate. */
export const ONE_RATE: RatePlan = { baseShare: 1, rules: [] }

/** Samples per second and CPU by the rule of a sample (SampleBatch.rule), at a highest rate of `rateHz`. */
export function ratesOf({ baseShare, rules }: RatePlan, rateHz: number): number[] {
  return [baseShare, ...rules.map(({ share }) => share)].map((share) => share * rateHz)
}

/** Nanoseconds of CPU that a sample stands for, by its rule. There are no samples of a rate of 0. */
export function periodsOf(plan: RatePlan, rateHz: number): number[] {
  return ratesOf(plan, rateHz).map((rate) => (rate > 0 ? 1e9 / rate : 0))
}

/** 'comm nginx', 'cgroup /sys/fs/cgroup/db'. */
export function targetOf({ by, value }: RateShare): string {
  return `${WORDS[by]} ${value}`
}

const WORDS = { cgroup: 'cgroup', pidNamespace: 'pid namespace', comm: 'comm', pid: 'pid' } as const

/** What was asked and what came of it, the base rate last; undefined when all targets have the same rate. */
export function ratesUsed(
  plan: RatePlan,
  rateHz: number,
  samples: readonly number[],
): readonly RateUsed[] | undefined {
  if (plan.rules.length === 0) return undefined
  const rates = ratesOf(plan, rateHz)
  const used = (target: string, rule: number): RateUsed => ({
    target,
    rateHz: rates[rule]!,
    samples: samples[rule] ?? 0,
  })
  return [...plan.rules.map((rule, i) => used(targetOf(rule), i + 1)), used('', 0)]
}

/** A sentence for the profile, '' where every sample stands for the same CPU time. */
export function rateNote(rates: readonly RateUsed[] | undefined): string {
  if (rates === undefined) return ''
  const parts = rates.map(({ target, rateHz }) => `${target || 'all others'} ${hertzText(rateHz)}`)
  return `targets have rates of their own, so samples stand for different CPU times: ${parts.join(', ')}`
}

function hertzText(rateHz: number): string {
  return rateHz === 0 ? 'never' : `${Number(rateHz.toPrecision(4))} Hz`
}
