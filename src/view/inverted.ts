/**
 * The tree upside down: functions by their own weight, below them who calls them. Whole, it would have a node for every frame of every
 * stack. So it grows where it is looked at: a node keeps where its stacks have got to in the tree, and its children are made when
 * they are asked for.
 */
import { type CallTree, pathTo } from './tree.ts'

/** Places in the tree, each with the weight that came up from there. */
interface Reached {
  readonly nodes: Int32Array
  readonly weights: Float64Array
}

/** The inverted tree of all leaves: self weights by function, their callers below. */
export function invertedTree(tree: CallTree): CallTree {
  const nodes = new Int32Array(tree.count)
  let count = 0
  for (let node = 1; node < tree.count; node++) if (tree.self[node]! > 0) nodes[count++] = node
  const leaves = nodes.subarray(0, count)
  const reached = { nodes: leaves, weights: weightsOf(leaves, tree.self) }
  return new GrowingTree(tree, reached, false, tree.self[0]!)
}

/** Callers of some nodes, which are of one function: the root is that function, with all that runs in it. */
export function callersTree(tree: CallTree, nodes: Int32Array): CallTree {
  return new GrowingTree(tree, { nodes, weights: weightsOf(nodes, tree.total) }, true, 0)
}

function weightsOf(nodes: Int32Array, weights: Float64Array): Float64Array {
  const own = new Float64Array(nodes.length)
  for (let i = 0; i < own.length; i++) own[i] = weights[nodes[i]!]!
  return own
}

class GrowingTree implements CallTree {
  readonly frames
  count = 1
  parent = new Int32Array(1024)
  frame = new Int32Array(1024)
  firstChild = new Int32Array(1024)
  nextSibling = new Int32Array(1024)
  self = new Float64Array(1024)
  total = new Float64Array(1024)
  readonly #tree: CallTree
  /** What a node's children will be made of; undefined once they are. */
  readonly #reached: (Reached | undefined)[] = []
  /** By frame: its node among the children that are being made, and the node these belong to. */
  readonly #childOfFrame: Int32Array
  readonly #stamp: Int32Array

  /** `isAbove`: the places are the root's own, its children are their callers. Else its children are the places themselves. */
  constructor(tree: CallTree, reached: Reached, isAbove: boolean, rootSelf: number) {
    this.#tree = tree
    this.frames = tree.frames
    this.#childOfFrame = new Int32Array(tree.frames.count)
    this.#stamp = new Int32Array(tree.frames.count).fill(-1)
    this.parent[0] = -1
    this.frame[0] = -1
    this.firstChild[0] = -1
    this.nextSibling[0] = -1
    this.total[0] = reached.weights.reduce((sum, weight) => sum + weight, rootSelf)
    this.self[0] = rootSelf
    this.#reached[0] = reached
    if (!isAbove) this.#make(0, reached)
  }

  expand(node: number): void {
    const reached = this.#reached[node]
    if (reached === undefined) return
    const { parent } = this.#tree
    const { length } = reached.nodes
    const nodes = new Int32Array(length)
    const weights = new Float64Array(length)
    let count = 0
    for (let i = 0; i < length; i++) {
      const above = parent[reached.nodes[i]!]!
      if (above > 0) {
        nodes[count] = above
        weights[count++] = reached.weights[i]!
      } else this.self[node]! += reached.weights[i]!
    }
    this.#make(node, { nodes: nodes.subarray(0, count), weights: weights.subarray(0, count) })
  }

  /** Children of a node, one for each frame among the places; these are put in the order of the children, in one array for all. */
  #make(node: number, { nodes, weights }: Reached): void {
    this.#reached[node] = undefined
    const first = this.count
    const childOf = new Int32Array(nodes.length)
    const sizes: number[] = []
    for (let i = 0; i < nodes.length; i++) {
      const frame = this.#tree.frame[nodes[i]!]!
      if (this.#stamp[frame] !== node) {
        this.#stamp[frame] = node
        this.#childOfFrame[frame] = this.#add(node, frame)
        sizes.push(0)
      }
      const child = this.#childOfFrame[frame]!
      this.total[child]! += weights[i]!
      sizes[child - first]!++
      childOf[i] = child - first
    }
    const ends = new Int32Array(sizes.length)
    for (let child = 1; child < ends.length; child++) ends[child] = ends[child - 1]! + sizes[child - 1]!
    const sorted = { nodes: new Int32Array(nodes.length), weights: new Float64Array(nodes.length) }
    for (let i = 0; i < nodes.length; i++) {
      const at = ends[childOf[i]!]!++
      sorted.nodes[at] = nodes[i]!
      sorted.weights[at] = weights[i]!
    }
    for (let child = 0; child < sizes.length; child++) {
      const [from, to] = [ends[child]! - sizes[child]!, ends[child]!]
      this.#reached[first + child] = {
        nodes: sorted.nodes.subarray(from, to),
        weights: sorted.weights.subarray(from, to),
      }
    }
  }

  #add(parent: number, frame: number): number {
    if (this.count === this.parent.length) this.#grow()
    const node = this.count++
    this.parent[node] = parent
    this.frame[node] = frame
    this.firstChild[node] = -1
    this.nextSibling[node] = this.firstChild[parent]!
    this.firstChild[parent] = node
    return node
  }

  #grow(): void {
    const grown = <Column extends Int32Array | Float64Array>(column: Column, larger: Column): Column => {
      larger.set(column)
      return larger
    }
    const length = this.count * 2
    this.parent = grown(this.parent, new Int32Array(length))
    this.frame = grown(this.frame, new Int32Array(length))
    this.firstChild = grown(this.firstChild, new Int32Array(length))
    this.nextSibling = grown(this.nextSibling, new Int32Array(length))
    this.self = grown(this.self, new Float64Array(length))
    this.total = grown(this.total, new Float64Array(length))
  }
}

/** Nodes of the tree that show a function and have it not among their callers: each weight below it is there once. */
export function outermost(tree: CallTree, fn: number): Int32Array {
  const { frames, frame, parent, count } = tree
  const isBelow = new Uint8Array(count)
  const nodes: number[] = []
  for (let node = 1; node < count; node++) {
    const isMatch = frames.fn[frame[node]!] === fn
    const wasBelow = isBelow[parent[node]!] === 1
    if (isMatch && !wasBelow && tree.total[node]! > 0) nodes.push(node)
    isBelow[node] = isMatch || wasBelow ? 1 : 0
  }
  return Int32Array.from(nodes)
}

/** Names of a stack from its root to a node. */
export function namesTo(tree: CallTree, node: number): string[] {
  return pathTo(tree, node)
    .slice(1)
    .map((at) => tree.frames.name[tree.frame[at]!]!)
}
