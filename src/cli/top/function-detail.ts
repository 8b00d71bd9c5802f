/** Who calls a function, what it calls, and the path most of its samples share. Counts are samples, each counted once. */
import type { Profile } from '../../model/profile.ts'
import { type FunctionFrame, framesOf } from './window-functions.ts'

export interface Neighbour {
  readonly name: string
  readonly samples: number
}

export interface FunctionDetail {
  readonly self: number
  readonly total: number
  /** Heaviest first. Of the outermost call; '' is the bottom of a stack. */
  readonly callers: readonly Neighbour[]
  /** Heaviest first. Of the innermost call; its own time is `self`. */
  readonly callees: readonly Neighbour[]
  /** From the root to the function and on to its heaviest callees: `path[at]` is the function. */
  readonly path: readonly string[]
  readonly at: number
  /** True when no single caller leads on from the first name of the path, and it is no root. */
  readonly isPathCut: boolean
}

/** A step of the path is followed while it holds this share of the samples before. */
const MIN_STEP = 0.5

/** Looks through the samples of some windows. */
export function functionDetail(profiles: readonly Profile[], key: string): FunctionDetail {
  const callers = new Map<string, number>()
  const callees = new Map<string, number>()
  const above: string[][] = []
  const below: string[][] = []
  let [self, total] = [0, 0]
  for (const profile of profiles) {
    const frames = framesOf(profile)
    for (const leaf of profile.samples.stack) {
      const stack = stackOf(profile, leaf, frames)
      const inner = stack.findIndex((frame) => frame.key === key)
      if (inner < 0) continue
      const outer = stack.findLastIndex((frame) => frame.key === key)
      total++
      if (inner === 0) self++
      else count(callees, stack[inner - 1]!.name)
      count(callers, stack[outer + 1]?.name ?? '')
      above.push(stack.slice(outer + 1).map(({ name }) => name))
      below.push(
        stack
          .slice(0, inner)
          .map(({ name }) => name)
          .reverse(),
      )
    }
  }
  const outward = commonPath(above)
  const before = outward.toReversed()
  const name = key.slice(0, key.indexOf('\0'))
  const path = [...before, name, ...commonPath(below)]
  const isPathCut = above.some(
    (walk) => walk.length > before.length && before.every((_, i) => walk[i] === outward[i]),
  )
  return {
    self,
    total,
    callers: heaviest(callers),
    callees: heaviest(callees),
    path,
    at: before.length,
    isPathCut,
  }
}

/** Innermost first. */
function stackOf(profile: Profile, leaf: number, frames: readonly FunctionFrame[][]): FunctionFrame[] {
  const stack: FunctionFrame[] = []
  for (let node = leaf; node >= 0; node = profile.stacks.parent[node]!)
    stack.push(...frames[profile.stacks.location[node]!]!)
  return stack
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function heaviest(counts: Map<string, number>): Neighbour[] {
  const list = [...counts].map(([name, samples]) => ({ name, samples }))
  return list.sort((a, b) => b.samples - a.samples || (a.name < b.name ? -1 : 1))
}

/** The names that most of the walks begin with. */
function commonPath(walks: readonly string[][]): string[] {
  const path: string[] = []
  let left = walks
  for (;;) {
    const counts = new Map<string, number>()
    for (const walk of left) if (walk.length > path.length) count(counts, walk[path.length]!)
    const [next] = heaviest(counts)
    if (next === undefined || next.samples < left.length * MIN_STEP) return path
    left = left.filter((walk) => walk[path.length] === next.name)
    path.push(next.name)
  }
}
