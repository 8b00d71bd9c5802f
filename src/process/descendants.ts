/** Who belongs to a process: its living children and theirs. Ourselves and our own children are left out. */
import { listPids, readStat } from './proc-files.ts'

/**
 * The given processes and all their descendants that live now, ascending; never the process `self` or what hangs below
 * it (a shell that profiles itself must not profile the profiler).
 */
export function withDescendants(pids: readonly number[], self: number): number[] {
  const children = new Map<number, number[]>()
  for (const pid of listPids()) {
    const parent = readStat(pid)?.parent
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const found = new Set<number>()
  const visit = (pid: number): void => {
    if (pid === self || found.has(pid)) return
    found.add(pid)
    for (const child of children.get(pid) ?? []) visit(child)
  }
  for (const pid of pids) visit(pid)
  return [...found].sort((a, b) => a - b)
}
