/** How whole the stacks of a program are: a run of the command under the profiler, and its row of a table. */
import assert from 'node:assert/strict'
import type { Report } from '../../src/formats/report.ts'
import { wilson } from '../../src/stats/interval.ts'
import { type ProfileRun, type RunOptions, runProfile, total } from './profile-run.ts'
import { countStacks, type NamedStack, namedStacks } from './stacks.ts'

/** Two-sided 99.9 %. */
export const Z = 3.29

/** Share of the samples whose stack is known to reach the first frame of its thread. */
export function completeShare({ stacks, samples }: Report): number {
  return stacks.complete / samples.kept
}

/** "program  samples  complete  approximate  truncated by reason", to print. */
export function completenessRow(program: string, report: Report): string {
  const { samples, stacks } = report
  const reasons = Object.entries(stacks.truncated)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`)
  const complete = `${(100 * completeShare(report)).toFixed(2)} %`
  const columns = [samples.kept, complete, stacks.approximate, total(stacks.truncated)]
  return `${program.padEnd(24)}${columns.map((text) => String(text).padStart(10)).join('')}  ${reasons.join(', ')}`
}

export const COMPLETENESS_HEAD = `${'program'.padEnd(24)}${['samples', 'complete', 'approx.', 'truncated']
  .map((text) => text.padStart(10))
  .join('')}  reasons`

/** Profiles a command that prints one JSON object, whatever else it is wrapped in. */
export async function profileTruth(
  command: readonly string[],
  rateHz: number,
  options: RunOptions = {},
): Promise<ProfileRun & { readonly truth: Readonly<Record<string, number>> }> {
  const run = await runProfile(['-F', String(rateHz), '--', ...command], options)
  return { ...run, truth: JSON.parse(run.stdout) }
}

/** Whether a frame of the stack belongs to this part of a truth program (see `struct part`). */
export function isInPart({ frames }: NamedStack, part: string): boolean {
  const pattern = new RegExp(`(^|::)${part}_`)
  return frames.some(({ name }) => pattern.test(name))
}

/** Each part's share of the samples agrees with what the program measured, and none of its samples is missing. */
export function assertParts(
  stacks: readonly NamedStack[],
  truth: Readonly<Record<string, number>>,
  rateHz: number,
): void {
  const parts = Object.keys(truth).filter((part) => part !== 'total')
  const counts = parts.map((part) => countStacks(stacks, (stack) => isInPart(stack, part)))
  const measured = parts.reduce((sum, part) => sum + truth[part]!, 0)
  const samples = counts.reduce((sum, count) => sum + count, 0)
  const expected = (measured / 1e9) * rateHz
  assert.ok(
    Math.abs(samples - expected) < 5 * Math.sqrt(expected) + 0.01 * expected,
    `${samples} samples in ${parts.join(', ')}; their CPU time is worth ${expected.toFixed(0)}`,
  )
  for (const [i, part] of parts.entries()) {
    const { low, high } = wilson(counts[i]!, samples, Z)
    const share = truth[part]! / measured
    const found = `${counts[i]} of ${samples} samples give ${low.toFixed(3)} to ${high.toFixed(3)}`
    assert.ok(low <= share && share <= high, `${part}: ${found}, it measured ${share.toFixed(3)}`)
  }
}

/** Samples whose stack, read from the leaf, comes to one of the functions that a thread of the program begins in. */
export function countRooted(run: ProfileRun, roots: RegExp): number {
  return countStacks(namedStacks(run.profile), ({ frames }) => frames.some(({ name }) => roots.test(name)))
}
