/** Ends the task at hand, so that none is long: the browser may paint and answer in between. */

interface Scheduler {
  postTask(task: () => void, options: { priority: 'user-blocking' }): Promise<void>
}

/** Resolves in a task of its own, before what only waits to be read or loaded where the browser knows priorities. */
export function nextTurn(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: Scheduler }
  return new Promise((done) => {
    if (scheduler !== undefined) void scheduler.postTask(done, { priority: 'user-blocking' })
    else setTimeout(done, 0)
  })
}

/** Resolves when what was drawn is on the screen; a page that is not seen waits until it is. */
export function nextPaint(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => void nextTurn().then(done))
  })
}

/** A page that is not seen is not painted: nobody waits longer for it than that. */
const MAX_PAUSE_MS = 200

/** Resolves after the frame that follows the one with what was drawn, while which the browser wants all of the processor. */
export function whenSeen(): Promise<void> {
  return new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)))
    setTimeout(done, MAX_PAUSE_MS)
  })
}
