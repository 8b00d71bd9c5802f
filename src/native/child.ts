/**
 * A child process with pipes for stdin and stdout, started by the addon: node's own spawn() forks, which for a process
 * of our size holds the event loop up for milliseconds.
 */
import { Socket } from 'node:net'

/** The addon's part of it (native/child.h). */
export interface ChildStarter {
  /**
   * Starts an executable in "/" with an empty environment; `fds` become its descriptors 3, 4, ... The two descriptors of
   * the answer are the caller's. Throws an Error with code 'not_started'.
   */
  startChild(
    path: string,
    args: readonly string[],
    fds: readonly number[],
  ): { readonly pid: number; readonly input: number; readonly output: number }
  /** Exit code of a child that has ended, -1 when a signal ended it, null while it runs. It is gone once that is told. */
  reapChild(pid: number): number | null
}

/** One that has closed its stdout ends; as fast as it can, if it is honest. */
const REAP_MS = 5
const REAPS_MAX = 40

export class Child {
  readonly pid: number
  readonly input: Socket
  readonly output: Socket
  /** Its exit code, -1 when a signal ended it; resolves once it is gone and all of its output was read. */
  readonly ended: Promise<number>
  readonly #starter: ChildStarter
  #isGone = false

  /** Errors: as startChild(). */
  constructor(starter: ChildStarter, path: string, args: readonly string[], fds: readonly number[]) {
    this.#starter = starter
    const { pid, input, output } = starter.startChild(path, args, fds)
    this.pid = pid
    this.input = new Socket({ fd: input, readable: false, writable: true })
    this.output = new Socket({ fd: output, readable: true, writable: false })
    // EPIPE when it died before reading all: its end is told by `ended`.
    this.input.on('error', () => {})
    this.output.on('error', () => {})
    this.ended = new Promise((resolve) => {
      this.output.on('close', () => {
        this.input.destroy()
        this.#reap(resolve, 0)
      })
    })
  }

  /** Ends it at once. Safe to call at any time. */
  kill(): void {
    if (this.#isGone) return
    try {
      process.kill(this.pid, 'SIGKILL')
    } catch {
      // Gone unasked, where SIGCHLD is ignored: `ended` tells it, once its output was read.
    }
  }

  #reap(tell: (code: number) => void, tries: number): void {
    const code = this.#starter.reapChild(this.pid)
    if (code !== null) {
      this.#isGone = true
      tell(code)
      return
    }
    if (tries === REAPS_MAX) this.kill()
    setTimeout(() => this.#reap(tell, tries + 1), REAP_MS)
  }
}
