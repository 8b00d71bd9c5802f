/** The two sides of `profile diff`: files read, and one column of each chosen. */
import { AgentError } from '../errors.ts'
import { commonColumns, preferredColumn, typeName } from '../model/common-column.ts'
import { type DiffSide, wholeSide } from '../model/diff-tree.ts'
import type { Profile, ValueType } from '../model/profile.ts'
import { countingColumn, sampleWeight } from '../model/sample-count.ts'
import type { DiffCommand } from './diff-arguments.ts'

export interface DiffInput {
  readonly column: ValueType
  readonly before: DiffSide
  readonly after: DiffSide
}

/** Errors: AgentError `input_invalid` for a file, or two that have nothing to compare. */
export async function readDiffInput(command: DiffCommand): Promise<DiffInput> {
  const { readProfileFile } = await import('../formats/read-any.ts')
  const before = await readProfileFile(command.before)
  const after = await readProfileFile(command.after)
  const common = commonColumns(before, after, command.column)
  const column = preferredColumn(before, after, common)
  if (column === undefined) throw nothingInCommon(command, before, after)
  const input = {
    column: column.type,
    before: wholeSide(before, column.before),
    after: wholeSide(after, column.after),
  }
  refuseEmpty(input.before, command.before, column.type)
  refuseEmpty(input.after, command.after, column.type)
  refuseUnknown(input.before, command.before, command)
  refuseUnknown(input.after, command.after, command)
  return input
}

/** A comparison that was asked for must be possible; a gate that cannot fail would be no gate. */
function refuseUnknown({ profile, column, seconds }: DiffSide, file: string, command: DiffCommand): void {
  if (command.scale === 'per-second' && !(seconds > 0)) {
    const reason = `${file} does not say how long it took`
    throw new AgentError('input_invalid', `cannot compare per second: ${reason}; use --scale relative`)
  }
  if (command.failPoints === null || sampleWeight(profile, column) !== null) return
  const reason = `how many samples stand behind ${typeName(profile.sampleTypes[column]!)} in ${file} is not known`
  const remedy =
    countingColumn(profile) >= 0 ? '; use --column samples' : ', so no change can be told from noise'
  throw new AgentError('input_invalid', `cannot judge --fail: ${reason}${remedy}`)
}

function nothingInCommon(
  { before: a, after: b, column }: DiffCommand,
  before: Profile,
  after: Profile,
): AgentError {
  const types = (profile: Profile): string => profile.sampleTypes.map(typeName).join(', ') || 'none'
  const both = commonColumns(before, after)
  if (column !== '' && both.length > 0) {
    const names = both.map(({ type }) => type.type).join(' or ')
    return new AgentError('usage', `--column "${column}" is no sample type of both files; use ${names}`)
  }
  return new AgentError(
    'input_invalid',
    `cannot compare ${a} (${types(before)}) with ${b} (${types(after)}): they have no sample type in common`,
  )
}

function refuseEmpty({ profile, column }: DiffSide, file: string, type: ValueType): void {
  if (profile.samples.values[column]!.some((value) => value > 0)) return
  const other = profile.sampleTypes.find((_, i) => profile.samples.values[i]!.some((value) => value > 0))
  const remedy = other === undefined ? 'take it again' : `try --column ${other.type}`
  throw new AgentError(
    'input_invalid',
    `cannot compare ${file}: it has no samples of ${typeName(type)}; ${remedy}`,
  )
}
