/** The one chain of calls that most samples share, for the summary's last line of findings. Pure. */
import type { Profile } from '../model/profile.ts'
import { shareColumn } from '../model/sample-count.ts'

export interface HottestPath {
  /** Function names, caller first, at most `names` of them from the leaf end. */
  readonly names: readonly string[]
  /** Samples whose stack runs through the last of them. */
  readonly samples: number
}

/** Below this share of all samples a path tells nothing. */
const MIN_SHARE = 0.1
/** A step is followed while the heaviest callee keeps this much of its caller. */
const MIN_STEP = 0.5

/** Follows the heaviest callee from the heaviest root. null when nothing stands out or nothing has names. */
export function hottestPath(profile: Profile, names: number): HottestPath | null {
  const rows = samplesOfRows(profile)
  const totals = nodeTotals(profile, rows)
  const children = childLists(profile.stacks.parent)
  const least = rows.reduce((sum, n) => sum + n, 0) * MIN_SHARE
  const path: string[] = []
  let samples = 0
  let group = heaviestGroup(profile, children.get(-1) ?? [], totals)
  while (group && group.samples >= Math.max(1, least, samples * MIN_STEP)) {
    samples = group.samples
    path.push(...group.names)
    const callees = group.nodes.flatMap((node) => children.get(node) ?? [])
    group = heaviestGroup(profile, callees, totals)
  }
  const distinct = path.filter((name, i) => name !== path[i - 1])
  return distinct.length < 2 ? null : { names: distinct.slice(-names), samples }
}

/** Nodes that show the same functions: one function is called, and sampled, at many addresses. */
interface Group {
  readonly nodes: number[]
  readonly names: readonly string[]
  samples: number
}

function heaviestGroup(profile: Profile, nodes: readonly number[], totals: Float64Array): Group | undefined {
  const groups = new Map<string, Group>()
  for (const node of nodes) {
    const names = namesAt(profile, profile.stacks.location[node]!)
    const key = names.join('\0')
    const group = groups.get(key) ?? { nodes: [], names, samples: 0 }
    group.nodes.push(node)
    group.samples += totals[node]!
    groups.set(key, group)
  }
  return [...groups.values()].reduce<Group | undefined>(
    (a, b) => (a && a.samples >= b.samples ? a : b),
    undefined,
  )
}

function samplesOfRows(profile: Profile): Float64Array {
  const { column, weight } = shareColumn(profile)
  return Float64Array.from(profile.samples.values[column] ?? [], (value) => value / weight)
}

/** Samples at or below each node of the stack table. */
function nodeTotals(profile: Profile, rows: Float64Array): Float64Array {
  const { parent } = profile.stacks
  const totals = new Float64Array(parent.length)
  for (const [row, node] of profile.samples.stack.entries()) if (node >= 0) totals[node]! += rows[row]!
  // Callees come after their callers, so one pass from the end adds everything up.
  for (let node = parent.length - 1; node >= 0; node--) {
    const caller = parent[node]!
    if (caller >= 0) totals[caller]! += totals[node]!
  }
  return totals
}

function childLists(parent: Int32Array): Map<number, number[]> {
  const lists = new Map<number, number[]>()
  for (let node = 0; node < parent.length; node++) {
    const list = lists.get(parent[node]!)
    if (list) list.push(node)
    else lists.set(parent[node]!, [node])
  }
  return lists
}

/** Caller first; a location without a name adds nothing. */
function namesAt(profile: Profile, location: number): string[] {
  const lines = profile.locations[location]?.lines ?? []
  return lines.map((line) => profile.functions[line.function]?.name ?? '').reverse()
}
