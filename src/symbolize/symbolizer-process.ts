/**
 * One run of the symbolizer executable: start with a few open descriptors, ask, kill. It knows processes, pipes and
 * time; what the lines mean is answer.ts. A process that hangs, dies or floods us costs its answer and nothing else.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { loadAddon, packageRoot } from '../native/addon.ts'
import { Child } from '../native/child.ts'
import type { Answer } from './answer.ts'

/** How asking ended when the process gave no proper end of the answer; value: the sentence for the user. */
export const ASK_FAILURES = {
  missing: 'the symbolizer executable is missing or cannot be started',
  not_confined: 'the symbolizer could not give up its rights (are seccomp filters allowed here?)',
  out_of_memory: 'its debug information needs more memory than allowed',
  timed_out: 'its debug information took too long to read',
  died: 'the symbolizer died while reading it (damaged debug information?)',
  bad_answer: 'the symbolizer gave an answer that makes no sense',
} as const
export type AskFailure = keyof typeof ASK_FAILURES

/** Longest line of an honest answer: 512 frames of 5 numbers, or one string of 8 KiB. */
const MAX_LINE_CHARS = 64 * 1024
/** Bound of one answer; 10,000 addresses with 8 inlined frames each need about 3 MB. */
const MAX_ANSWER_CHARS = 64 * 1024 * 1024

/** build/Release in a checkout, prebuilds/ in an installed package; the first where it may be, when it is nowhere. */
export function symbolizerPath(): string {
  const root = packageRoot()
  const built = join(root, 'build', 'Release', 'symbolizer')
  const shipped = join(root, 'prebuilds', `linux-${process.arch}`, 'symbolizer')
  return !existsSync(built) && existsSync(shipped) ? shipped : built
}

/** Exit codes of native/symbolizer/main.cc that say more than "died". */
function failureOfExit(code: number): AskFailure {
  if (code === 1) return 'not_confined'
  return code === 3 ? 'out_of_memory' : 'died'
}

/** Starts the executable, or undefined when the system refuses at once (no memory, too many processes). */
export function startSymbolizer(path: string, fds: readonly number[]): SymbolizerProcess | undefined {
  try {
    return new SymbolizerProcess(path, fds)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'not_started') return undefined
    throw error
  }
}

/** A running symbolizer. Not for two questions at a time. */
export class SymbolizerProcess {
  readonly pid: number
  private readonly child: Child
  private readonly ended: Promise<void>
  private readonly decoder = new StringDecoder('utf8')
  private rest = ''
  private failure: AskFailure | '' = ''
  private onText: (text: string) => void = () => {}
  private onFailure: (failure: AskFailure) => void = () => {}

  /** `fds` become descriptors 3, 4, ... of the process, in this order. Errors: as Child's. */
  constructor(path: string, fds: readonly number[]) {
    const options = fds.length > 0 ? [`--files=${fds.length}`] : []
    this.child = new Child(loadAddon(), path, options, fds)
    this.pid = this.child.pid
    this.ended = this.child.ended.then((code) => this.fail(failureOfExit(code)))
    this.child.output.on('data', (chunk: Buffer) => this.onText(this.decoder.write(chunk)))
  }

  /**
   * Sends one request and feeds `answer` until it leaves 'open'.
   * Gives '' then, or why it never will; the process is not usable afterwards.
   */
  async ask(request: string, answer: Answer, timeoutMs: number): Promise<AskFailure | ''> {
    if (this.failure) return this.failure
    const failure = await new Promise<AskFailure | ''>((resolve) => {
      const timer = setTimeout(() => resolve('timed_out'), timeoutMs)
      const finish = (result: AskFailure | '') => {
        clearTimeout(timer)
        resolve(result)
      }
      let received = 0
      this.onFailure = finish
      this.onText = (text) => {
        received += text.length
        if (received > MAX_ANSWER_CHARS || !this.feed(text, answer)) finish('bad_answer')
        else if (answer.state !== 'open') finish('')
      }
      this.child.input.write(request)
    })
    this.onText = () => {}
    this.onFailure = () => {}
    if (failure) this.fail(failure)
    return failure
  }

  /** Ends the process and waits until it is gone. Safe to call twice. */
  async close(): Promise<void> {
    this.child.kill()
    await this.ended
  }

  /** False when the text is not a sequence of lines of an answer. */
  private feed(text: string, answer: Answer): boolean {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.length > MAX_LINE_CHARS) return false
      answer.take(line)
      if (answer.state !== 'open') break
    }
    return answer.state !== 'bad' && this.rest.length <= MAX_LINE_CHARS
  }

  private fail(failure: AskFailure): void {
    this.failure ||= failure
    this.onFailure(failure)
    this.child.kill()
  }
}
