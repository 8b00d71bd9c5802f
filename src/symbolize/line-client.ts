/**
 * Source lines and inlined functions of one file, by a symbolizer process of its own: what a hostile file does to its
 * process can neither reach nor forge the lines of another.
 */
import { LinesAnswer, type SourceFrame } from './answer.ts'
import { ASK_FAILURES, startSymbolizer } from './symbolizer-process.ts'

export interface LineRequest {
  /** Open descriptors; -1 where there is none. They stay the caller's. */
  readonly objectFd: number
  readonly debugFd: number
  readonly alternateFd: number
  /** ELF addresses, any order. */
  readonly addresses: readonly number[]
}

export interface LineResult {
  /** One row an address, innermost inlined function first; undefined where nothing is known. */
  readonly rows: readonly (readonly SourceFrame[] | undefined)[]
  /** '' or why rows are missing, as a clause for the user; rows that came before are kept. */
  readonly failure: string
  /** Frames whose name lies in a dwz file that is not there. */
  readonly missingAlternate: number
  /** Addresses in units whose inlined functions are in .dwo files, which are not read. */
  readonly splitUnit: number
  /** Places where the debug information contradicts itself: rows may be missing or wrong. */
  readonly damage: number
}

/** Start and parsing of the unit headers take milliseconds; the rest is per address. */
const BASE_TIMEOUT_MS = 5000
const TIMEOUT_PER_ADDRESS_MS = 2

function formatRequest(request: LineRequest): { text: string; fds: number[] } {
  const fds: number[] = []
  const numbers = [request.objectFd, request.debugFd, request.alternateFd].map((fd) =>
    fd < 0 ? -1 : fds.push(fd) + 2,
  )
  const addresses = request.addresses.map((address) => `${address.toString(16)}\n`).join('')
  return { text: `lines ${numbers.join(' ')} ${request.addresses.length}\n${addresses}`, fds }
}

/** Asks for the lines of one file; never rejects. `budgetMs`: time left for all files together. */
export async function findLines(path: string, request: LineRequest, budgetMs: number): Promise<LineResult> {
  const { text, fds } = formatRequest(request)
  const answer = new LinesAnswer(request.addresses.length)
  const timeoutMs = Math.min(budgetMs, BASE_TIMEOUT_MS + request.addresses.length * TIMEOUT_PER_ADDRESS_MS)
  const symbolizer = startSymbolizer(path, fds)
  const asked = (await symbolizer?.ask(text, answer, timeoutMs)) ?? (symbolizer ? '' : 'missing')
  await symbolizer?.close()
  return {
    rows: answer.rows,
    failure: asked ? ASK_FAILURES[asked] : answer.failure.text,
    missingAlternate: answer.counts.get('missing_alternate') ?? 0,
    splitUnit: answer.counts.get('split_unit') ?? 0,
    damage: answer.counts.get('damage') ?? 0,
  }
}
