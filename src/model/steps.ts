/** Long work in steps: it yields where others may have their turn, and whoever drives it decides how often they do. */
export type Steps<T> = Generator<void, T, void>

/** All of them at once: what the work gives. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
