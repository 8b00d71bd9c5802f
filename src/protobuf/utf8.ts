/** What a text becomes as UTF-8, told before it is written: two texts that would be the same bytes are one then. */

/** Of Node since 20; TypeScript has it from es2024 on. */
interface WellFormed {
  toWellFormed(): string
}

/** The text with each lone surrogate (half a character, which UTF-8 cannot hold) replaced by U+FFFD. */
export function wellFormed(text: string): string {
  return (text as unknown as WellFormed).toWellFormed()
}
