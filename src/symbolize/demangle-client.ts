/**
 * Readable names, by the symbolizer process. Names come from the symbol tables of any program, so one of them may be
 * built to hurt the demangler: the answer to each small batch is complete before the next is asked, and a batch that
 * kills the process is asked again name by name. A name that cannot be read stays as it is.
 */
import { NamesAnswer } from './answer.ts'
import { type AskFailure, type SymbolizerProcess, startSymbolizer } from './symbolizer-process.ts'

const BATCH = 256
/** Time for one batch; an honest name takes microseconds. */
const BATCH_TIMEOUT_MS = 2000
/** Processes lost to bad names before the rest stays unread. */
const MAX_LOST = 8
/** What may be worth asking: C++ and Rust prefixes, or a suffix a compiler made. */
const MANGLED = /^_{1,3}[ZR]|\.(cold|warm|part|isra|constprop|llvm|lto_priv|localalias)\b/
/** Longest name sent; the executable leaves longer ones as they are, too. */
const MAX_NAME_CHARS = 16 * 1024

export interface DemangleResult {
  /** Raw name -> readable name; names not in it are readable as they are, or could not be read. */
  readonly readable: ReadonlyMap<string, string>
  /** Names given up on. */
  readonly unread: number
  /** Set when the process itself is the trouble, not a name. */
  readonly failure: AskFailure | ''
}

/** True for a name that demangling may change, and that can be sent as one line. */
function isMangled(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && MANGLED.test(name) && !name.includes('\n')
}

class Demangling {
  readonly readable = new Map<string, string>()
  unread = 0
  failure: AskFailure | '' = ''
  private lost = 0
  private process: SymbolizerProcess | undefined

  constructor(
    private readonly path: string,
    private readonly deadlineMs: number,
  ) {}

  /** Asks for all names, in parts of `batch`; a part that fails is asked again one by one. */
  async run(names: readonly string[], batch: number): Promise<void> {
    for (let i = 0; i < names.length; i += batch) {
      const part = names.slice(i, i + batch)
      if (this.failure || this.lost > MAX_LOST || performance.now() > this.deadlineMs)
        this.unread += part.length
      else if (await this.askPart(part)) continue
      else if (part.length === 1 || this.failure) this.unread += part.length
      else await this.run(part, 1)
    }
  }

  async close(): Promise<void> {
    await this.process?.close()
    this.process = undefined
  }

  private async askPart(names: readonly string[]): Promise<boolean> {
    this.process ??= startSymbolizer(this.path, [])
    const answer = new NamesAnswer(names)
    const request = `demangle ${names.length}\n${names.join('\n')}\n`
    const failure = this.process ? await this.process.ask(request, answer, BATCH_TIMEOUT_MS) : 'missing'
    if (failure === '' && answer.state === 'done') {
      names.forEach((name, i) => {
        this.readable.set(name, answer.readable[i] ?? name)
      })
      return true
    }
    this.lost++
    if (failure === 'missing' || failure === 'not_confined') this.failure = failure
    await this.close()
    return false
  }
}

/** Reads all names that look mangled; never rejects. `path`: the executable; `budgetMs`: time for all. */
export async function demangle(
  path: string,
  names: Iterable<string>,
  budgetMs: number,
): Promise<DemangleResult> {
  const mangled = [...new Set(names)].filter(isMangled)
  const demangling = new Demangling(path, performance.now() + budgetMs)
  await demangling.run(mangled, BATCH)
  await demangling.close()
  return { readable: demangling.readable, unread: demangling.unread, failure: demangling.failure }
}
