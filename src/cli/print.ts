/** Text to our two streams. A reader that went away (`| head`) ends the output, not the program. */
import type { TextOutput } from './world.ts'

/** Lines, each with its line feed. */
export function printLines(stream: TextOutput, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.join('\n')}\n`)
}

/** `profile: message`, on one line however the message came; only the entries of a list, each behind two spaces, keep theirs. */
export function printError(stream: TextOutput, message: string): void {
  stream.write(`profile: ${message.replace(/\s*\n(?! {2}\S)\s*/g, ' ')}\n`)
}

/** Writes pieces as fast as the reader takes them; returns the bytes handed over. Ends early when the reader is gone. */
export async function stream(out: TextOutput, pieces: Iterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for (const piece of pieces) {
    if (out.destroyed === true) break
    bytes += piece.length
    if (!out.write(piece)) await drained(out)
  }
  return bytes
}

function drained(out: TextOutput): Promise<void> {
  return new Promise((done) => {
    if (out.destroyed === true) return done()
    const end = (): void => {
      out.off('drain', end)
      out.off('close', end)
      done()
    }
    out.once('drain', end)
    out.once('close', end)
  })
}
