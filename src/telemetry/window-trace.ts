/** What was done with one window, as a span and its children will tell it. Times are unix milliseconds. */

export interface WindowStep {
  /** 'drain', 'symbolize', 'encode', 'enqueue'. */
  readonly name: string
  readonly startMs: number
  readonly endMs: number
}

export interface WindowTrace extends WindowStep {
  readonly samples: number
  readonly steps: readonly WindowStep[]
  /** Why the window was not handed on; '' when it was. */
  readonly fault: string
}
