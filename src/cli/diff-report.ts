/** The comparison of two sides as a report: the tables, the sentence, the notes, and the gate of `--fail`. Pure. */
import type { DiffGate, DiffReport } from '../formats/diff-report.ts'
import { typeName } from '../model/common-column.ts'
import { diffTree } from '../model/diff-tree.ts'
import { countingColumn } from '../model/sample-count.ts'
import { type Estimate, rateRatio, samplesToTell } from '../stats/compare.ts'
import { changeOf, type DiffChange, type DiffRanking, rankChanges } from '../stats/diff-ranking.ts'
import { type DiffTable, diffTable, isSignificant } from '../stats/diff-table.ts'
import { diffWords, verdictSentence } from '../stats/diff-text.ts'
import { FAMILY_LEVEL } from '../stats/family.ts'
import { upperQuantile } from '../stats/normal.ts'
import type { DiffCommand } from './diff-arguments.ts'
import type { DiffInput } from './diff-input.ts'
import { grouped } from './terminal.ts'

/** Errors: AgentError `input_invalid` past the limits of a tree. */
export function diffReport(input: DiffInput, command: DiffCommand, isSameFile: boolean): DiffReport {
  const tree = diffTree(input.before, input.after)
  const table = diffTable(tree, command.scale)
  const ranking = rankChanges(table)
  const words = diffWords(command.scale, input.column)
  const shares =
    command.failPoints === null || command.scale === 'relative' ? table : diffTable(tree, 'relative')
  return {
    files: { before: command.before, after: command.after },
    column: input.column,
    table,
    ranking,
    words,
    ratePerSecond: ratePerSecond(table),
    verdict: verdictSentence(table, ranking, words, (fn) => table.functions.name[fn]!),
    notes: [
      ...(isSameFile ? ['before and after are the same file'] : []),
      ...columnNote(input, command),
      ...precisionNotes(input, table, ranking),
      ...scaleNotes(table, ranking),
      ...(tree.negativeRows > 0
        ? [`${tree.negativeRows} samples below zero were left out: a file is itself a difference`]
        : []),
    ],
    gate: command.failPoints === null ? null : gateOf(shares, command.failPoints),
  }
}

/** Functions whose total share grew by the points or more, and significantly; largest first. */
function gateOf(shares: DiffTable, points: number): DiffGate {
  const failed: DiffChange[] = []
  for (let fn = 0; fn < shares.verdict.length; fn++) {
    const grown = shares.total.change[fn]! * 100
    // 0.03 * 100 is not 3 in a double.
    if (isSignificant(shares.total.verdict[fn]!) && grown >= points - 1e-9)
      failed.push(changeOf(shares, fn, 'total'))
  }
  return { points, failed: failed.sort((a, b) => b.change - a.change || a.fn - b.fn) }
}

function ratePerSecond({ before, after }: DiffTable): Estimate | null {
  const known = [before, after].every((side) => side.samples && side.sampleWeight && side.seconds > 0)
  if (!known) return null
  return rateRatio(
    { before: before.samples!, after: after.samples! },
    { before: before.seconds / before.sampleWeight!, after: after.seconds / after.sampleWeight! },
  )
}

/** Why it is not the column that the older file shows first. */
function columnNote({ before, column }: DiffInput, command: DiffCommand): string[] {
  const { sampleTypes, defaultSampleType } = before.profile
  if (command.column !== '' || before.column === defaultSampleType) return []
  const first = typeName(sampleTypes[defaultSampleType]!)
  return [`compared by ${typeName(column)}: ${first} is not in both files, or its samples differ in weight`]
}

/** Why nothing is claimed, or how many samples would tell more. */
function precisionNotes(
  { column, before, after }: DiffInput,
  table: DiffTable,
  ranking: DiffRanking,
): string[] {
  if (table.before.sampleWeight === null || table.after.sampleWeight === null) {
    const isCounted = [before, after].every(({ profile }) => countingColumn(profile) >= 0)
    const remedy = isCounted ? '; --column samples can be judged' : ''
    return [
      `how many samples stand behind ${typeName(column)} is not known, so no change is called significant${remedy}`,
    ]
  }
  const { largest, significant } = ranking
  if (table.scale !== 'relative' || significant.length > 0 || !largest || Math.abs(largest.change) < 0.001)
    return []
  const level = upperQuantile(FAMILY_LEVEL / Math.max(1, table.tests) / 2)
  const needed = samplesToTell(largest.change, largest.before, level)
  if (needed <= Math.max(table.before.samples!, table.after.samples!)) return []
  const name = table.functions.name[largest.fn]!
  return [`to tell that change of ${name} from noise takes about ${grouped(needed)} samples in each profile`]
}

function scaleNotes({ scale, before, after }: DiffTable, { counts }: DiffRanking): string[] {
  if (scale === 'relative' && counts.grew + counts.new > 0 && counts.shrank + counts.gone > 0) {
    const other = before.seconds > 0 && after.seconds > 0 ? 'per-second' : 'absolute'
    return [`shares add up to 100%: what grows makes the rest shrink (--scale ${other} does not)`]
  }
  const isUneven = Math.abs(before.seconds - after.seconds) > 0.1 * Math.max(before.seconds, after.seconds)
  if (scale !== 'absolute' || !isUneven) return []
  return [
    `the profiles took ${before.seconds.toFixed(1)} s and ${after.seconds.toFixed(1)} s; --scale per-second allows for it`,
  ]
}
