/**
 * Profile -> folded stacks (`main;a;b 12`), the line format of flamegraph.pl and its many relatives.
 *
 * Root first, one line per distinct stack, children in code-unit order of their names. A frame's suffix says what
 * its name cannot: `_[k]` kernel, `_[j]` code made at run time, `_[i]` inlined into the frame before it (which has the
 * suffix of the code both are in). Names are made safe: ';' becomes ':', line breaks become a space, control characters
 * '?', because the format has no quoting. The number counts samples; of a capture whose samples stand for different
 * times (targets with rates of their own) it is CPU nanoseconds. Samples without a stack count for `[no stack]`. Everything else (addresses, files, labels) is lost.
 */
import { functionName, unnamedLocation } from '../model/frame-name.ts'
import { PairTable } from '../model/pair-table.ts'
import type { Label, Profile } from '../model/profile.ts'
import { shareColumn } from '../model/sample-count.ts'
import { INLINED_SUFFIX, KIND_SUFFIXES } from './folded-suffixes.ts'

export { FoldedReader } from './folded-reader.ts'

export interface FoldedOptions {
  /** Put a frame with the command name or the thread (`name-tid`) below each stack. */
  readonly root?: 'comm' | 'thread'
}

/** The lines, each with its newline. Stacks of weight 0 have no line. */
export function* writeFolded(profile: Profile, options: FoldedOptions = {}): Iterable<string> {
  const tree = new NameTree(profile)
  const column = profile.samples.values[shareColumn(profile).column] ?? new Float64Array(0)
  const roots = rootFrames(profile, options.root)
  for (const [row, weight] of column.entries()) {
    tree.add(roots[profile.samples.labelSet[row]!] ?? null, profile.samples.stack[row]!, weight)
  }
  yield* tree.lines()
}

/** Root frame by label set; null where none was asked for. */
function rootFrames(profile: Profile, root: FoldedOptions['root']): (string | null)[] {
  return profile.labelSets.map((labels) => {
    if (root === undefined) return null
    const comm = safeName(textOf(labels, 'comm') || '[unknown]')
    if (root === 'comm') return comm
    const tid = textOf(labels, 'tid')
    return safeName(textOf(labels, 'thread') || comm) + (tid === '' ? '' : `-${tid}`)
  })
}

function textOf(labels: readonly Label[], key: string): string {
  const label = labels.find((entry) => entry.key === key)
  return label?.str ?? label?.num?.toString() ?? ''
}

/** What of a name would break a line, or drive the terminal that shows it, is replaced. */
function safeName(name: string): string {
  return (
    name
      .replaceAll(';', ':')
      .replace(/[\r\n\u2028\u2029]+/g, ' ')
      .replace(/\p{Cc}/gu, '?') || '[unknown]'
  )
}

/** The frames of each location as texts, root first. */
function locationFrames(profile: Profile): string[][] {
  return profile.locations.map((location) => {
    const suffix = KIND_SUFFIXES[location.kind]
    if (location.lines.length === 0) return [safeName(unnamedLocation(profile, location)) + suffix]
    return location.lines.toReversed().map(({ function: index }, depth) => {
      return safeName(functionName(profile.functions[index]!)) + (depth === 0 ? suffix : INLINED_SUFFIX)
    })
  })
}

/** The profile's stacks as a prefix tree of texts: locations that read the same are one node. */
class NameTree {
  readonly #profile: Profile
  readonly #names: string[] = []
  readonly #nameIds = new Map<string, number>()
  /** Name ids by location, root first. */
  readonly #frames: number[][]
  /** (parent + 1, name id) -> node. */
  readonly #nodes = new PairTable()
  /** (node below + 1, stack node) -> node on top, so that each stack is walked once. */
  readonly #stacks = new PairTable()
  readonly #stackTops: number[] = []
  readonly #weights: number[] = []

  constructor(profile: Profile) {
    this.#profile = profile
    this.#frames = locationFrames(profile).map((frames) => frames.map((frame) => this.#nameId(frame)))
  }

  add(root: string | null, stack: number, weight: number): void {
    let node = root === null ? -1 : this.#child(-1, this.#nameId(root))
    if (stack < 0) node = this.#child(node, this.#nameId('[no stack]'))
    else node = this.#topOf(node, stack)
    this.#weights[node] = (this.#weights[node] ?? 0) + weight
  }

  *lines(): Iterable<string> {
    const children = this.#sortedChildren()
    // Nodes still to visit, next one last; `path` is the line so far, by depth.
    const pending = [{ nodes: children.get(-1) ?? [], at: 0, path: '' }]
    while (pending.length > 0) {
      const level = pending.at(-1)!
      const node = level.nodes[level.at++]
      if (node === undefined) {
        pending.pop()
        continue
      }
      const path = level.path + this.#names[this.#nodes.secondOf(node)]!
      const weight = this.#weights[node] ?? 0
      if (weight !== 0) yield `${path} ${weight}\n`
      const below = children.get(node)
      if (below) pending.push({ nodes: below, at: 0, path: `${path};` })
    }
  }

  #topOf(root: number, stack: number): number {
    const { parent, location } = this.#profile.stacks
    const path: number[] = []
    let node = root
    for (let at = stack; at >= 0; at = parent[at]!) {
      const known = this.#stackTops[this.#stacks.intern(root + 1, at)]
      if (known !== undefined) {
        node = known
        break
      }
      path.push(at)
    }
    for (const at of path.reverse()) {
      for (const name of this.#frames[location[at]!]!) node = this.#child(node, name)
      this.#stackTops[this.#stacks.intern(root + 1, at)] = node
    }
    return node
  }

  #child(parent: number, name: number): number {
    return this.#nodes.intern(parent + 1, name)
  }

  #nameId(name: string): number {
    let id = this.#nameIds.get(name)
    if (id === undefined) {
      id = this.#names.push(name) - 1
      this.#nameIds.set(name, id)
    }
    return id
  }

  #sortedChildren(): Map<number, number[]> {
    const children = new Map<number, number[]>()
    for (let node = 0; node < this.#nodes.size; node++) {
      const parent = this.#nodes.firstOf(node) - 1
      const siblings = children.get(parent)
      if (siblings) siblings.push(node)
      else children.set(parent, [node])
    }
    const nameOf = (node: number) => this.#names[this.#nodes.secondOf(node)]!
    for (const siblings of children.values()) siblings.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    return children
  }
}
