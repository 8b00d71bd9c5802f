/** Cuts from a text what surrounds some of its lines: chunks that do not touch, in the order of the text. Pure. */
import type { SourceText } from '../model/profile.ts'

export interface SourceLimits {
  /** Before and after each line. */
  readonly linesAround: number
  /** Of one line; the rest of a longer one is cut off, and an ellipsis says so. */
  readonly lineCharacters: number
  /** Of all lines together. */
  readonly characters: number
}

export interface SourceChunks {
  readonly list: readonly Omit<SourceText, 'fileName'>[]
  readonly characters: number
  /** False when the limit of characters ended it. */
  readonly isWhole: boolean
}

/** `lines`: 1-based, in any order; those behind the end of the text count for nothing. */
export function sourceChunks(text: string, lines: readonly number[], limits: SourceLimits): SourceChunks {
  const all = text.split(/\r\n|\n|\r/)
  if (all.at(-1) === '') all.pop()
  const list: { firstLine: number; lines: string[] }[] = []
  let characters = 0
  for (const line of lines.toSorted((a, b) => a - b)) {
    if (line > all.length) break
    const last = list.at(-1)
    const covered = last ? last.firstLine + last.lines.length : 1
    const first = Math.max(1, line - limits.linesAround)
    const added: string[] = []
    for (let at = Math.max(first, covered); at <= Math.min(all.length, line + limits.linesAround); at++) {
      const shown = cut(all[at - 1]!, limits.lineCharacters)
      characters += shown.length + 1
      if (characters > limits.characters) return { list, characters, isWhole: false }
      added.push(shown)
    }
    if (last && first <= covered) last.lines.push(...added)
    else list.push({ firstLine: first, lines: added })
  }
  return { list, characters, isWhole: true }
}

function cut(line: string, most: number): string {
  return line.length <= most ? line : `${line.slice(0, most)}…`
}
