/** The captured source text of a file, with the weight of each line. */
import type { Profile } from '../model/profile.ts'
import type { Details } from './protocol.ts'

/** Lines of a file in their order, each once; null where none were captured. */
export function sourceOf(
  profile: Profile,
  fileName: string,
  weightOfLine: (line: number) => { readonly self: number; readonly total: number },
): Omit<NonNullable<Details['source']>, 'isByFunction'> | null {
  const chunks = (profile.sources ?? []).filter((chunk) => chunk.fileName === fileName)
  if (chunks.length === 0) return null
  const text = new Map<number, string>()
  for (const { firstLine, lines } of chunks)
    for (const [i, line] of lines.entries()) text.set(firstLine + i, line)
  const numbers = [...text.keys()].sort((a, b) => a - b)
  return {
    fileName,
    lines: numbers.map((number) => ({ number, text: text.get(number)!, ...weightOfLine(number) })),
  }
}
