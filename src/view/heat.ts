/**
 * CPU by second and by offset within the second: short bursts and regular ones are seen at once.
 * After FlameScope: https://www.brendangregg.com/blog/2018-11-08/flamescope-pattern-recognition.html
 */
import type { Profile } from '../model/profile.ts'
import type { Heat } from './protocol.ts'

const ROWS = 50
const SECOND_NS = 1e9

/** Weights of rows on that grid. A column is a second, or 2, 4, 8… of them so that there are at most `maxColumns`. */
export function heatOf(profile: Profile, rowWeights: Float64Array, maxColumns: number): Heat {
  const { timeNs } = profile.samples
  const durationNs = Number(profile.durationNs)
  let columnNs = SECOND_NS
  while (durationNs / columnNs > Math.max(1, maxColumns)) columnNs *= 2
  const columns = timeNs === null ? 0 : Math.max(1, Math.ceil(durationNs / columnNs))
  const values = new Float64Array(columns * ROWS)
  for (let row = 0; timeNs !== null && row < rowWeights.length; row++) {
    const weight = rowWeights[row]!
    if (!(weight > 0)) continue
    const cell = Math.floor((timeNs[row]! / columnNs) * ROWS)
    values[Math.max(0, Math.min(values.length - 1, cell))]! += weight
  }
  return { columns, rows: ROWS, columnNs, fromNs: 0, values }
}
