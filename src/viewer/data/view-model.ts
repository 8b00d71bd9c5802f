/** Everything the views show of one value column, computed once: the tree, its colours, and what is slow when needed. */

import { type Colours, colourFrames } from '../../model/colour-groups.ts'
import { type FlameTree, flameTree } from '../../model/flame-tree.ts'
import { baseName } from '../../model/frame-name.ts'
import { FRAME_KINDS, type Profile } from '../../model/profile.ts'
import { sampleCount } from '../../model/sample-count.ts'
import { type FunctionTable, functionTable } from './function-table.ts'
import { percent, plusMinus } from './numbers.ts'
import { shareError } from './precision.ts'

/** A column of a profile, ready to be looked at. */
export interface ViewModel {
  readonly tree: FlameTree
  readonly colours: Colours
  /** Independent samples behind the column, null when unknown. */
  readonly samples: number | null
  readonly unit: string
  /** Computed at the first call: the first drawing does without. */
  functions(): FunctionTable
}

/** Prepares a column. */
export function viewModel(profile: Profile, column: number): ViewModel {
  const tree = flameTree(profile, column)
  let table: FunctionTable | null = null
  return {
    tree,
    colours: colourFrames(tree),
    samples: sampleCount(profile, column),
    unit: profile.sampleTypes[column]?.unit ?? '',
    functions: () => {
      table ??= functionTable(tree)
      return table
    },
  }
}

/** A share of the whole profile as `9.1 %` and `± 1.3` ('' when unknown). */
export function shareOf(model: ViewModel, value: number): { share: string; error: string } {
  const share = model.tree.total[0]! > 0 ? value / model.tree.total[0]! : 0
  return { share: percent(share), error: plusMinus(shareError(share, model.samples)) }
}

/** Where a frame's code is, as far as known: `src/json.ts:88`, the binary, and what kind of code it is. */
export function framePlace(tree: FlameTree, frame: number): string[] {
  const { profile, frames } = tree
  const location = profile.locations[frames.location[frame]!]!
  const fn = profile.functions[frames.function[frame]!]
  const line = location.lines[frames.line[frame]!]?.line ?? 0
  const mapping = profile.mappings[location.mapping]
  const kind = FRAME_KINDS[frames.kind[frame]!]!
  const at = fn === undefined || fn.fileName === '' ? '' : `${fn.fileName}${lineSuffix(fn.startLine || line)}`
  const parts = [at, baseName(mapping?.fileName ?? ''), kind === 'native' ? '' : KIND_WORDS[kind]]
  if (frames.inlined[frame] === 1) parts.push('inlined')
  if (fn === undefined && location.unnamedReason !== '')
    parts.push(location.unnamedReason.replaceAll('_', ' '))
  return parts.filter((part, i) => part !== '' && parts.indexOf(part) === i)
}

const KIND_WORDS = { native: 'native', kernel: 'kernel', jit: 'JIT', interpreted: 'interpreted' } as const

function lineSuffix(line: number): string {
  return line > 0 ? `:${line}` : ''
}
