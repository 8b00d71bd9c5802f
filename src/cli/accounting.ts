/** `-v`: where every sample, stack and frame went, as sums that must come out, and all notes. Pure. */
import type { CaptureReport, CountByReason } from '../model/profile.ts'
import { ratesText } from '../model/rates-text.ts'
import { byteSize, clean } from './terminal.ts'

/** Lines without line feeds. */
export function accountingLines(capture: CaptureReport): string[] {
  const { samples, stacks, frames, overhead, timing } = capture
  return [
    `samples  captured ${samples.captured} = kept ${samples.kept} + dropped ${sum(samples.dropped)}${reasons(samples.dropped)}`,
    `stacks   kept ${samples.kept} = complete ${stacks.complete} + approximate ${stacks.approximate}` +
      ` + truncated ${sum(stacks.truncated)}${reasons(stacks.truncated)}`,
    `frames   ${frames.named + sum(frames.unnamed)} = named ${frames.named} + unnamed ${sum(frames.unnamed)}${reasons(frames.unnamed)}`,
    `cost     ${ms(overhead.cpuNs)} CPU, of it BPF ${ms(overhead.bpfTimeNs)} in ${overhead.bpfRuns} runs` +
      `${perRun(capture)}; memory ${byteSize(overhead.rssBytes)}`,
    ...unwindingLines(capture),
    `timing   start to first sample ${ms(timing.startToFirstSampleNs)}, last sample to files ${ms(timing.lastSampleToFilesNs)}`,
    `source   event ${capture.event} at ${ratesText(capture)} on ${capture.host.cpus} CPUs, Linux ${capture.host.kernel}`,
    ...capture.notes.map((note) => `note     ${clean(note)}`),
  ]
}

/** ' (3100 ns a captured sample, 90 ns any other run)': ticks that are not captured return at once. */
function perRun({ samples, overhead }: CaptureReport): string {
  const { bpfRuns, bpfTimeNs, bpfCapturedNs } = overhead
  if (bpfCapturedNs === undefined || samples.captured === 0) return ''
  const other = Math.max(0, bpfTimeNs - bpfCapturedNs) / Math.max(1, bpfRuns - samples.captured)
  return ` (${(bpfCapturedNs / samples.captured).toFixed(0)} ns a captured sample, ${other.toFixed(0)} ns any other run)`
}

function unwindingLines({ unwinding, overhead }: CaptureReport): string[] {
  if (!unwinding) return []
  const { variant, rawStacks, processes, files, pages, parsedPages, cachedPages, evictedPages } = unwinding
  return [
    `unwind   by ${variant}; ${processes} processes, ${files} files, ${pages} pages of tables` +
      ` (parsed ${parsedPages}, cached ${cachedPages}, evicted ${evictedPages}); ${rawStacks} stacks in user space`,
    `kernel   ${byteSize(overhead.kernelBytes ?? 0)} of BPF maps, of it unwind tables ${byteSize(unwinding.shardBytes)}` +
      ` (filled ${byteSize(unwinding.tableBytesMax)} at most)`,
  ]
}

function sum(counts: CountByReason): number {
  return Object.values(counts).reduce((total, n) => total + n, 0)
}

/** ' (ring_full 3, exited 1)', largest first; '' when nothing was counted. */
function reasons(counts: CountByReason): string {
  const rows = Object.entries(counts).filter(([, n]) => n > 0)
  rows.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return rows.length === 0 ? '' : ` (${rows.map(([reason, n]) => `${reason} ${n}`).join(', ')})`
}

function ms(ns: number): string {
  return `${(ns / 1e6).toFixed(1)} ms`
}
