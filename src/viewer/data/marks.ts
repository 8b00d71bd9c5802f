/** Marks in the browser's timeline: benches and tests wait for them. */
import { nextPaint } from './turn.ts'

/** Tells how soon something was drawn, and a frame later that it is on the screen as well. */
export function markPainted(): void {
  if (performance.getEntriesByName('emberscope-drawn').length > 0) return
  performance.mark('emberscope-drawn')
  void nextPaint().then(() => performance.mark('emberscope-painted'))
}

/** Tells when the worker's newest answer was drawn; benches wait for it. */
export function markAnswered(): void {
  performance.clearMarks('emberscope-answered')
  performance.mark('emberscope-answered')
}
