/** The call tree of a `.cpuprofile` of any age as one list, callers first. */
import { AgentError } from '../errors.ts'
import type { JsonCursor } from './json-cursor.ts'

export interface CallNode {
  readonly id: number
  /** Id of the caller; null for a root. */
  readonly parent: number | null
  readonly name: string
  readonly url: string
  /** 1-based, 0 when unknown. */
  readonly line: number
  readonly column: number
  readonly hitCount: number
  readonly isIdle: boolean
}

interface RawNode extends CallNode {
  readonly children: readonly number[]
}

/**
 * Nodes by id, callers before callees. Errors: AgentError input_invalid for an id that is missing or given twice, for
 * a node with two callers, and for a cycle.
 */
export function readCallNodes(json: JsonCursor): Map<number, CallNode> {
  const head = json.get('head')
  const raw = head.isAbsent ? json.get('nodes').array(readNode) : nestedNodes(head)
  const byId = new Map<number, RawNode>()
  for (const node of raw) {
    if (byId.has(node.id)) damaged(`two nodes have the id ${node.id}`)
    byId.set(node.id, node)
  }
  return callersFirst(byId, parentsOf(raw, byId))
}

/** Most files list the children, some name the parent. */
function parentsOf(raw: readonly RawNode[], byId: ReadonlyMap<number, RawNode>): Map<number, number> {
  const parents = new Map<number, number>()
  const set = (id: number, parent: number): void => {
    if (!byId.has(id)) damaged(`node ${parent} calls node ${id}, which is missing`)
    const known = parents.get(id)
    if (known !== undefined && known !== parent)
      damaged(`node ${id} is called by both ${known} and ${parent}`)
    parents.set(id, parent)
  }
  for (const node of raw) {
    for (const child of node.children) set(child, node.id)
    if (node.parent === null) continue
    if (!byId.has(node.parent)) damaged(`node ${node.id} has the parent ${node.parent}, which is missing`)
    set(node.id, node.parent)
  }
  return parents
}

function callersFirst(
  byId: ReadonlyMap<number, RawNode>,
  parents: ReadonlyMap<number, number>,
): Map<number, CallNode> {
  const children = new Map<number, number[]>()
  for (const [id, parent] of parents) {
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [id])
    else siblings.push(id)
  }
  const ordered = new Map<number, CallNode>()
  const queue = [...byId.keys()].filter((id) => !parents.has(id))
  for (const id of queue) {
    const { children: _listed, ...node } = byId.get(id)!
    ordered.set(id, { ...node, parent: parents.get(id) ?? null })
    for (const child of children.get(id) ?? []) queue.push(child)
  }
  // Each node has one caller, so what no root leads to goes round in a circle.
  if (ordered.size < byId.size) {
    const lost = [...byId.keys()].find((id) => !ordered.has(id))
    damaged(`its nodes go round in a circle, node ${lost} is in it or below`)
  }
  return ordered
}

function readNode(node: JsonCursor): RawNode {
  const frame = node.get('callFrame')
  const parent = node.get('parent')
  // Both positions count from 0, and are -1 where there is no source.
  return rawNode(
    node,
    frame,
    1,
    parent.optional((cursor) => cursor.integer(), null as number | null),
  )
}

/** The old form nests nodes in one another; its positions count from 1 already. */
function nestedNodes(head: JsonCursor): RawNode[] {
  const nodes: RawNode[] = []
  const open: { readonly node: JsonCursor; readonly parent: number | null }[] = [{ node: head, parent: null }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, parent } = next
    const id = node.get('id').integer()
    nodes.push({ ...rawNode(node, node, 0, parent), children: [] })
    const children = node.get('children').optional((c) => c.array((child) => child), [] as JsonCursor[])
    for (const child of children) open.push({ node: child, parent: id })
  }
  return nodes
}

function rawNode(node: JsonCursor, frame: JsonCursor, base: number, parent: number | null): RawNode {
  const position = (key: string): number =>
    Math.max(0, frame.get(key).optional((cursor) => cursor.integer(), -base) + base)
  const name = frame.get('functionName').text()
  const children = node.get('children')
  return {
    id: node.get('id').integer(),
    parent,
    name,
    url: frame.get('url').optional((cursor) => cursor.text(), ''),
    line: position('lineNumber'),
    column: position('columnNumber'),
    hitCount: Math.max(
      0,
      node.get('hitCount').optional((cursor) => cursor.finite(), 0),
    ),
    isIdle: name === '(idle)',
    children: base === 0 ? [] : children.optional((c) => c.array((child) => child.integer()), [] as number[]),
  }
}

function damaged(reason: string): never {
  throw new AgentError('input_invalid', `the cpuprofile is damaged: ${reason}`)
}
