/**
 * The terminal while `profile top` has it: the alternate screen, raw keys, no cursor. Whatever ends us (a key, a signal,
 * an exception, a stop by job control) gives it back as it was.
 */
import { writeSync } from 'node:fs'
import type { ReadStream, WriteStream } from 'node:tty'
import { type Key, keysOf } from './keys.ts'
import type { Size } from './render.ts'

/** A terminal to draw on. */
export interface Terminal {
  readonly size: Size
  /** Takes the terminal. */
  open(): void
  draw(lines: readonly string[]): void
  onKey(listener: (key: Key) => void): void
  onResize(listener: () => void): void
  /** Gives it back; safe to call twice. */
  close(): void
}

const STDOUT = 1
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'

/** This process's own terminal. */
export class OwnTerminal implements Terminal {
  readonly #input: ReadStream
  readonly #output: WriteStream
  #isOpen = false
  readonly #restore = (): void => this.#leave()
  readonly #stop = (): void => this.suspend()
  readonly #continue = (): void => this.#enter()
  #redraw: () => void = () => {}
  /** What `close` takes off the streams, which are the process's and outlive the view. */
  readonly #removers: (() => void)[] = []

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input
    this.#output = output
  }

  get size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 }
  }

  open(): void {
    this.#enter()
    // An exception nobody caught ends the process by way of 'exit', where only synchronous writes still happen.
    process.on('exit', this.#restore)
    process.on('SIGTSTP', this.#stop)
    process.on('SIGCONT', this.#continue)
  }

  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return
    this.#output.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`)
  }

  onKey(listener: (key: Key) => void): void {
    this.#listen(this.#input, 'data', (data) => {
      for (const key of keysOf(String(data))) {
        if (key === 'ctrl-z') this.suspend()
        else listener(key)
      }
    })
    // The terminal went away: as good as a hang-up.
    for (const event of ['end', 'error']) this.#listen(this.#input, event, () => listener('ctrl-c'))
  }

  onResize(listener: () => void): void {
    this.#redraw = listener
    this.#listen(this.#output, 'resize', listener)
  }

  /** What Ctrl-Z does in other programs: the shell gets a terminal that works. */
  suspend(): void {
    this.#leave()
    process.kill(process.pid, 'SIGSTOP')
  }

  close(): void {
    process.off('exit', this.#restore)
    process.off('SIGTSTP', this.#stop)
    process.off('SIGCONT', this.#continue)
    this.#leave()
    this.#input.pause()
    for (const remove of this.#removers.splice(0)) remove()
  }

  #listen(stream: ReadStream | WriteStream, event: string, listener: (data?: unknown) => void): void {
    stream.on(event, listener)
    this.#removers.push(() => void stream.off(event, listener))
  }

  #enter(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#input.setRawMode(true)
    this.#input.resume()
    this.#output.write(ENTER)
    this.#redraw()
  }

  #leave(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    try {
      this.#input.setRawMode(false)
      writeSync(STDOUT, LEAVE)
    } catch {
      // A terminal that was closed has no mode to be given back.
    }
  }
}
