/**
 * What is going on, on stderr while we sample: one line redrawn in place on a terminal, one line a phase elsewhere,
 * nothing at all when asked to be quiet or when the terminal belongs to a launched command.
 */
import type { Progress } from './deps.ts'
import { clean, clip, grouped, type Style, seconds } from './terminal.ts'
import type { TextOutput } from './world.ts'

export interface ProgressLine {
  /** Timers run. */
  started(): void
  sampling(progress: Progress): void
  /** A phase after sampling, e.g. 'reading symbols'. */
  phase(text: string): void
  /** Takes the line away; later calls print nothing. Safe to call twice. */
  end(): void
}

export interface ProgressOptions {
  readonly stream: TextOutput
  readonly style: Style
  /** 'node (4242)' */
  readonly title: string
  readonly rateHz: number
  readonly durationMs: number | null
  readonly nowMs: () => number
}

/** A redraw costs terminal bandwidth (ssh): five a second look smooth enough. */
const REDRAW_MS = 200
const BAR_WIDTH = 10

/** Says nothing. */
export const SILENT: ProgressLine = { started() {}, sampling() {}, phase() {}, end() {} }

/** The line for this stream. */
export function progressLine(options: ProgressOptions): ProgressLine {
  return options.style.redraws ? redrawn(options) : phased(options)
}

function phased({ stream, title, rateHz, durationMs }: ProgressOptions): ProgressLine {
  let open = true
  const say = (text: string): void => void (open && stream.write(`profile: ${text}\n`))
  const time = durationMs === null ? '' : ` for ${seconds(durationMs)}`
  return {
    started: () => say(`sampling ${title} at ${rateHz} Hz${time}`),
    sampling() {},
    phase: say,
    end: () => {
      open = false
    },
  }
}

function redrawn(options: ProgressOptions): ProgressLine {
  const { stream, style, nowMs } = options
  let drawnAt = Number.NEGATIVE_INFINITY
  let open = true
  const draw = (text: string): void => {
    if (!open) return
    drawnAt = nowMs()
    // Return, text, erase to the end of line: no flicker, and no line feed at the last column.
    stream.write(`\r${clip(text, style.columns - 1, style)}\x1b[K`)
  }
  const dot = style.unicode ? '●' : '*'
  return {
    started: () => draw(`${dot} ${options.title}`),
    sampling: (progress) => {
      if (nowMs() - drawnAt >= REDRAW_MS) draw(samplingText(progress, options))
    },
    phase: (text) => draw(`${dot} ${options.title}  ${text}`),
    end: () => {
      if (open && drawnAt !== Number.NEGATIVE_INFINITY) stream.write('\r\x1b[K')
      open = false
    },
  }
}

/** '● node (4242)  ▓▓▓▓▓▓░░░░ 6.1/10 s  612 samples  1.8 cores  hot: parseJson  [Ctrl-C stops early]' */
export function samplingText(progress: Progress, options: ProgressOptions): string {
  const { style, durationMs, title } = options
  const elapsed = (progress.elapsedMs / 1000).toFixed(1)
  const time =
    durationMs === null
      ? `${elapsed} s`
      : `${meter(progress.elapsedMs / durationMs, style)} ${elapsed}/${seconds(durationMs)}`
  const parts = [
    `${style.unicode ? '●' : '*'} ${title}`,
    time,
    `${grouped(progress.samples)} samples`,
    `${progress.cores.toFixed(2)} cores`,
    ...(progress.hottest ? [`hot: ${clean(progress.hottest)}`] : []),
    '[Ctrl-C stops early]',
  ]
  return parts.join('  ')
}

function meter(fraction: number, style: Style): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH)
  const [on, off] = style.unicode ? ['▓', '░'] : ['#', '.']
  return on!.repeat(full) + off!.repeat(BAR_WIDTH - full)
}
