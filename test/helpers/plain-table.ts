/** Self and total per function the slow and plain way: what the page's numbers are held against. */
import { frameName } from '../../src/model/frame-name.ts'
import type { Profile } from '../../src/model/profile.ts'

/** In the unit of the first value column; recursion counts once. */
export function tableOf(profile: Profile): Map<string, { self: number; total: number }> {
  const rows = new Map<string, { self: number; total: number }>()
  profile.samples.stack.forEach((leaf, row) => {
    const value = profile.samples.values[0]![row]!
    const path: string[] = []
    for (let at = leaf; at >= 0; at = profile.stacks.parent[at]!) {
      const location = profile.stacks.location[at]!
      const lines = profile.locations[location]!.lines
      if (lines.length === 0) path.push(frameName(profile, location, -1))
      for (let i = 0; i < lines.length; i++) path.push(frameName(profile, location, i))
    }
    for (const name of new Set(path)) {
      const before = rows.get(name) ?? { self: 0, total: 0 }
      rows.set(name, { self: before.self + (name === path[0] ? value : 0), total: before.total + value })
    }
  })
  return rows
}

/** Sum of the first value column. */
export function totalOf(profile: Profile): number {
  return profile.samples.values[0]!.reduce((sum, value) => sum + value, 0)
}

/** A share as the page writes it. */
export function shareText(value: number, total: number): string {
  return value > 0 && value / total < 0.0005
    ? '<\u202f0.1\u202f%'
    : `${((value / total) * 100).toFixed(1)}\u202f%`
}
