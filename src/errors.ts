/** Every fault the program can end with: one table, one class. Outcomes in the stream are counted, not thrown. */

/** Stable code -> exit code and meaning; README lists the same table and a test compares both. */
export const ERROR_CODES = {
  internal: { exit: 1, meaning: 'a bug of ours; please report it' },
  usage: { exit: 2, meaning: 'wrong option, argument or combination' },
  output_refused: { exit: 2, meaning: 'an output file exists or cannot be written' },
  input_invalid: { exit: 2, meaning: 'a file is not of a format we read, or is damaged' },
  config_invalid: { exit: 2, meaning: 'the configuration of the agent has an unknown key or a wrong value' },
  not_permitted: { exit: 3, meaning: 'a privilege is missing' },
  unsupported: { exit: 3, meaning: 'the kernel or host lacks something we need' },
  already_running: { exit: 3, meaning: 'another agent runs on this host' },
  target_not_found: { exit: 4, meaning: 'no such process, name or cgroup' },
  no_samples: { exit: 5, meaning: 'the target used no CPU while we looked' },
  diff_failed: { exit: 10, meaning: 'profile diff --fail: a function grew by as much, and it is no noise' },
} as const

export type ErrorCode = keyof typeof ERROR_CODES

/** A fault with a stable `code`. The message says what failed, on which object, why, and what to do. */
export class AgentError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'AgentError'
    this.code = code
  }
  get exitCode(): number {
    return ERROR_CODES[this.code].exit
  }
}
