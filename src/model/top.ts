/**
 * The list of functions with their self and total weight: the summary's table, `--json`'s `top`, the page's table.
 *
 * Self goes to the innermost function of a sample's leaf, inlined ones included. Total goes to each function once per
 * sample, however often it is on the stack. One walk over the prefix tree with a counter per function ("how many of
 * it are above me") does this: a function's total is the weight below its outermost frames.
 */
import { functionName, sourceOrBinary, unnamedLocation } from './frame-name.ts'
import type { Profile } from './profile.ts'

/** A function's weights, in the unit of the column asked for. */
export interface TopFunction {
  readonly name: string
  /** Source file, else the binary, else ''. */
  readonly file: string
  readonly self: number
  readonly total: number
}

/**
 * Functions (by name and file) with any weight in value column `column`, by self, then total, then name.
 *
 * A location without a name counts as a function of its own, `file+0xoffset`. Cost: linear in stack nodes and rows.
 */
export function topFunctions(profile: Profile, column: number): TopFunction[] {
  const groups = groupFunctions(profile)
  const { self, subtree } = nodeWeights(profile, column)
  const selfOf = new Float64Array(groups.names.length)
  const totalOf = new Float64Array(groups.names.length)
  const { location } = profile.stacks
  for (let node = 0; node < self.length; node++) {
    const place = location[node]!
    selfOf[groups.members[groups.start[place]!]!]! += self[node]!
  }
  addTotals(profile, groups, subtree, totalOf)
  const top: TopFunction[] = []
  for (const [group, name] of groups.names.entries()) {
    if (selfOf[group] === 0 && totalOf[group] === 0) continue
    top.push({ name, file: groups.files[group]!, self: selfOf[group]!, total: totalOf[group]! })
  }
  return top.sort(byWeight)
}

function byWeight(a: TopFunction, b: TopFunction): number {
  return b.self - a.self || b.total - a.total || compareText(a.name, b.name) || compareText(a.file, b.file)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Functions as groups of equal (name, file); location l holds members[start[l]..start[l + 1]), innermost first. */
interface FunctionGroups {
  readonly names: string[]
  readonly files: string[]
  readonly start: Int32Array
  readonly members: Int32Array
}

function groupFunctions(profile: Profile): FunctionGroups {
  const names: string[] = []
  const files: string[] = []
  const byFile = new Map<string, Map<string, number>>()
  const groupOf = (name: string, file: string): number => {
    const sameFile = byFile.get(file) ?? new Map<string, number>()
    byFile.set(file, sameFile)
    let group = sameFile.get(name)
    if (group === undefined) {
      group = names.push(name) - 1
      files.push(file)
      sameFile.set(name, group)
    }
    return group
  }
  const start = new Int32Array(profile.locations.length + 1)
  const members: number[] = []
  for (const [index, location] of profile.locations.entries()) {
    for (const line of location.lines) {
      const entry = profile.functions[line.function]!
      members.push(groupOf(functionName(entry), sourceOrBinary(profile, location, entry)))
    }
    if (location.lines.length === 0) {
      members.push(groupOf(unnamedLocation(profile, location), sourceOrBinary(profile, location, null)))
    }
    start[index + 1] = members.length
  }
  return { names, files, start, members: Int32Array.from(members) }
}

/** Weight of the samples that end in each node, and of those that pass through it. */
function nodeWeights(profile: Profile, column: number): { self: Float64Array; subtree: Float64Array } {
  const { parent } = profile.stacks
  const { stack, values } = profile.samples
  const self = new Float64Array(parent.length)
  const weights = values[column]
  for (let row = 0; weights && row < stack.length; row++) {
    if (stack[row]! >= 0) self[stack[row]!]! += weights[row]!
  }
  const subtree = self.slice()
  // Parents come before their children, so one pass backwards sums every subtree.
  for (let node = parent.length - 1; node >= 0; node--) {
    if (parent[node]! >= 0) subtree[parent[node]!]! += subtree[node]!
  }
  return { self, subtree }
}

/** Depth-first walk; `open[g]` counts the frames of group g from the root down to here. */
function addTotals(
  profile: Profile,
  groups: FunctionGroups,
  subtree: Float64Array,
  totalOf: Float64Array,
): void {
  const { parent, location } = profile.stacks
  const { firstChild, nextSibling, firstRoot } = childLinks(parent)
  const open = new Int32Array(groups.names.length)
  let node = firstRoot
  while (node >= 0) {
    const place = location[node]!
    for (let at = groups.start[place]!; at < groups.start[place + 1]!; at++) {
      const group = groups.members[at]!
      if (open[group]!++ === 0) totalOf[group]! += subtree[node]!
    }
    if (firstChild[node]! >= 0) {
      node = firstChild[node]!
      continue
    }
    while (node >= 0) {
      const left = location[node]!
      for (let at = groups.start[left]!; at < groups.start[left + 1]!; at++) open[groups.members[at]!]!--
      if (nextSibling[node]! >= 0) {
        node = nextSibling[node]!
        break
      }
      node = parent[node]!
    }
  }
}

/** The tree's links downwards, -1 where there is none; roots are siblings of each other. */
function childLinks(parent: Int32Array): {
  firstChild: Int32Array
  nextSibling: Int32Array
  firstRoot: number
} {
  const firstChild = new Int32Array(parent.length).fill(-1)
  const nextSibling = new Int32Array(parent.length).fill(-1)
  let firstRoot = -1
  for (let node = parent.length - 1; node >= 0; node--) {
    const above = parent[node]!
    nextSibling[node] = above >= 0 ? firstChild[above]! : firstRoot
    if (above >= 0) firstChild[above] = node
    else firstRoot = node
  }
  return { firstChild, nextSibling, firstRoot }
}
