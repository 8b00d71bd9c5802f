/**
 * The lines of `perf script`: headers of samples, frames, and what stands between them. perf prints what `-F` asks for,
 * so every field of a header but the thread may be missing. Pure; nothing here remembers the line before.
 */
import { kindOfMappingName } from '../model/frame-kind.ts'
import type { FrameKind } from '../model/profile.ts'

/** The line that begins a sample. Numbers that are not there are null, texts ''. */
export interface PerfHeader {
  readonly comm: string
  /** Thread group, where perf printed `pid/tid`. */
  readonly pid: number | null
  /** The thread; the process, where somebody asked for `-F pid` alone. */
  readonly tid: number
  readonly cpu: number | null
  readonly timeNs: number | null
  readonly period: number | null
  readonly event: string
  /** What follows the event: the fields of a tracepoint, or the one frame of a sample without a call chain. */
  readonly rest: string
}

/** A frame of a call chain. */
export interface PerfFrame {
  readonly address: string
  /** Without `+0xoffset`; '[unknown]' where perf found none. */
  readonly symbol: string
  /** File or '[kernel.kallsyms]'; '' when unknown or not printed. */
  readonly dso: string
  /** Of a function that was inlined into the frame after it. */
  readonly isInlined: boolean
  readonly kind: FrameKind
}

/** The fields of a header stand at its start; a tracepoint may print as much as it likes behind them. */
const HEADER_CHARS = 600

const WHO = /^\s*(?:(\S.*?)\s+)?(-?\d+)(?:\/\s*(-?\d+))?\s+/.source
/** The time makes a header unmistakable, whatever a thread calls itself. */
const TIMED = new RegExp(`${WHO}(?:\\[(\\d+)\\]\\s+)?(?:\\S{1,8}\\s+)?(\\d+)\\.(\\d+):(.*)$`)
const UNTIMED = new RegExp(`${WHO}(?:\\[(\\d+)\\]\\s*)?((?:\\d+\\s+)?\\S+:\\s*|)$`)
const EVENT = /^\s*(?:(\d+)(?:\s+|$))?(?:(\S+?):(?:\s+(.*))?)?$/

/** The header that a line is, or null. */
export function parseHeader(line: string): PerfHeader | null {
  const start = line.length > HEADER_CHARS ? line.slice(0, HEADER_CHARS) : line
  const timed = TIMED.exec(start)
  const found = timed ?? UNTIMED.exec(`${start} `)
  if (found === null) return null
  const [, comm = '', first, second, cpu] = found
  const what = EVENT.exec((timed === null ? found[5]! : found[7]!).trim())
  if (what === null) return null
  const ids =
    second === undefined ? { pid: null, tid: Number(first) } : { pid: Number(first), tid: Number(second) }
  return {
    comm,
    ...ids,
    cpu: cpu === undefined ? null : Number(cpu),
    timeNs: timed === null ? null : nanoseconds(timed[5]!, timed[6]!),
    period: what[1] === undefined ? null : Number(what[1]),
    event: what[2] ?? '',
    rest: what[3] ?? '',
  }
}

function nanoseconds(seconds: string, fraction: string): number {
  return Number(seconds) * 1e9 + Number(fraction.slice(0, 9).padEnd(9, '0'))
}

const FRAME = /^\s*([0-9a-f]{1,16})(?:\s+(\S.*))?$/
const OFFSET = /\+0x[0-9a-f]+$/
/** Behind a file, with `-F dsoff`. */
const DSO_OFFSET = /\+0x[0-9a-f]+$/

/** The frame that a line is, or null. */
export function parseFrame(line: string): PerfFrame | null {
  const found = FRAME.exec(line)
  if (found === null) return null
  const address = found[1]!
  const { name, dso } = splitFile((found[2] ?? '').trimEnd())
  const isInlined = dso === 'inlined'
  const file = isInlined || dso === '[unknown]' ? '' : dso.replace(DSO_OFFSET, '')
  const symbol = name.replace(OFFSET, '')
  return { address, symbol: symbol || '[unknown]', dso: file, isInlined, kind: kindOf(file, address) }
}

/** `name (file)`: the last bracket that is closed at the end, as a file may have brackets too: `(/tmp/a (deleted))`. */
function splitFile(text: string): { name: string; dso: string } {
  if (!text.endsWith(')')) return { name: text, dso: '' }
  let depth = 0
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] === ')') depth++
    else if (text[at] === '(' && --depth === 0) {
      // A bracket right behind a name is its parameter list: no file was printed.
      if (at > 0 && text[at - 1] !== ' ') break
      return { name: text.slice(0, at).trimEnd(), dso: text.slice(at + 1, -1) }
    }
  }
  return { name: text, dso: '' }
}

/** Bracketed names of user space; the others are the kernel and its modules. */
const USER_AREAS = /^\[(vdso|vsyscall|vvar|heap|stack|anon|uprobes|unknown|jit|interpreted)/

function kindOf(dso: string, address: string): FrameKind {
  const kind = kindOfMappingName(dso)
  if (kind !== 'native') return kind
  const isUpperHalf = address.length === 16 && address.startsWith('ffff')
  if (isUpperHalf && !USER_AREAS.test(dso)) return 'kernel'
  return dso.startsWith('[') && dso.endsWith(']') && !USER_AREAS.test(dso) ? 'kernel' : 'native'
}

const SOURCE_LINE = /^ {2}(\S.*):(\d+)$/
const INLINED = / \(inlined\)$/

/** Where a frame is in the source; '' and 0 when unknown. */
export interface PerfPlace {
  readonly file: string
  readonly line: number
  /** Said here where it is not said behind the frame. */
  readonly isInlined: boolean
}

/** Nothing is known. */
export const NOWHERE: PerfPlace = { file: '', line: 0, isInlined: false }

/**
 * The place that `-F +srcline` prints below a frame; null for another line. Where perf knows none it prints `??:0`, or
 * the file and the address in one of several ways.
 */
export function parseSourceLine(line: string): PerfPlace | null {
  if (!/^ {2}\S/.test(line)) return null
  const text = line.trimEnd()
  const isInlined = INLINED.test(text)
  const found = SOURCE_LINE.exec(text.replace(INLINED, ''))
  if (found === null || found[1] === '??') return { file: '', line: 0, isInlined }
  return { file: found[1]!, line: Number(found[2]), isInlined }
}

/** Whether text that begins so is of `perf script`. */
export function looksLikePerfScript(head: string): boolean {
  if (/^# =+\r?\n# captured on/.test(head)) return true
  const lines = head.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const [first, second] = lines
  if (first === undefined) return false
  const header = parseHeader(first.trimEnd())
  if (header === null) return false
  const isFrame = second !== undefined && /^\s+[0-9a-f]+(\s|$)/.test(second) && parseFrame(second) !== null
  return isFrame || (header.timeNs !== null && (header.event !== '' || header.period !== null))
}
