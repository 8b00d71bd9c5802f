/** "Did you mean": the closest of a few known words. Small words only; quadratic in their length. */

/** Longest word that is compared; longer ones are never suggested for. */
const MAX_WORD = 64

/** Number of single-character insertions, deletions and replacements between two words. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replace, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return previous[b.length]!
}

/**
 * The known words that look like `word`, best first: at most a third of its letters differ, or one begins or
 * contains the other. Shape: at most `limit` of them, no duplicates.
 */
export function nearest(word: string, known: Iterable<string>, limit: number): string[] {
  const asked = word.toLowerCase()
  if (asked === '' || asked.length > MAX_WORD) return []
  const scored: { name: string; score: number }[] = []
  for (const name of new Set(known)) {
    const other = name.toLowerCase()
    if (other === '' || other.length > MAX_WORD) continue
    const distance = editDistance(asked, other)
    const contains =
      asked.length >= 3 && other.length >= 3 && (other.includes(asked) || asked.includes(other))
    if (distance <= Math.max(1, Math.floor(asked.length / 3))) scored.push({ name, score: distance })
    else if (contains) scored.push({ name, score: MAX_WORD + distance })
  }
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
  return scored.slice(0, limit).map((s) => s.name)
}
