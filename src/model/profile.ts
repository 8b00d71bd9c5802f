/**
 * The neutral profile: what every writer, reader and view works on. Immutable after it is built.
 *
 * It is a superset of pprof's message (https://github.com/google/pprof/blob/main/proto/profile.proto), so that
 * reading and writing any producer's file loses nothing; on top it has a kind per frame, a time per sample and the
 * capture report. Tables are arrays, references are 0-based indices, -1 means "none". Stacks are a prefix tree.
 */

import type { Origins } from './sampled-process.ts'

/** Where a frame's code comes from; decides its pattern on the page and its suffix in folded text. */
export const FRAME_KINDS = ['native', 'kernel', 'jit', 'interpreted'] as const
export type FrameKind = (typeof FRAME_KINDS)[number]

/** Unit and meaning of one value column, e.g. { type: 'cpu', unit: 'nanoseconds' }. */
export interface ValueType {
  readonly type: string
  readonly unit: string
}

/** One executable as the profile's addresses see it: [start, limit) shows the file from `fileOffset` on. */
export interface Mapping {
  readonly start: bigint
  readonly limit: bigint
  readonly fileOffset: bigint
  readonly fileName: string
  /** Lower-case hex, or what the producer wrote; '' when unknown. */
  readonly buildId: string
  readonly hasFunctions: boolean
  readonly hasFilenames: boolean
  readonly hasLineNumbers: boolean
  readonly hasInlineFrames: boolean
}

/** A function: `name` is for people (demangled), `systemName` what the symbol table says. */
export interface ProfileFunction {
  readonly name: string
  readonly systemName: string
  readonly fileName: string
  /** 1-based line of the definition, 0 when unknown. */
  readonly startLine: number
}

/** One function at one source position. */
export interface Line {
  /** Index into `Profile.functions`. */
  readonly function: number
  /** 1-based, 0 when unknown. */
  readonly line: number
  readonly column: number
}

/** A code position. `lines` holds the innermost inlined function first, its physical caller last (pprof's order). */
export interface Location {
  /** Index into `Profile.mappings`, or -1. */
  readonly mapping: number
  /** Lookup address (model/addresses.ts) in the mapping's address space. */
  readonly address: bigint
  readonly lines: readonly Line[]
  readonly isFolded: boolean
  readonly kind: FrameKind
  /** Why `lines` is empty (a key of UNNAMED_REASONS), '' when it is not or nobody said. */
  readonly unnamedReason: string
}

/** A string label has `str`; a numeric one has `num` and perhaps `unit`. */
export interface Label {
  readonly key: string
  readonly str?: string
  readonly num?: number | bigint
  readonly unit?: string
}

/** Prefix tree of stacks: node i is `location[i]` called by node `parent[i]` (-1: it is a root). parent[i] < i always. */
export interface StackTable {
  readonly parent: Int32Array
  readonly location: Int32Array
}

/** Samples as columns; row i is one sample (or one pre-aggregated record of another producer). */
export interface SampleTable {
  /** Leaf node in the stack table, -1 for an empty stack. */
  readonly stack: Int32Array
  /** Index into `Profile.labelSets`. */
  readonly labelSet: Int32Array
  /** Nanoseconds since `Profile.timeNs`, or null when the producer kept no times. */
  readonly timeNs: Float64Array | null
  /** One column per sample type, in its unit. */
  readonly values: readonly Float64Array[]
  /**
   * Values beyond +-2^53, which a double can't hold exactly: key row * values.length + column. Readers that only
   * draw ignore it, writers prefer it. Absent when everything fits.
   */
  readonly wideValues?: ReadonlyMap<number, bigint>
}

export interface Profile {
  readonly sampleTypes: readonly ValueType[]
  /** Index into `sampleTypes` of the column to show first. */
  readonly defaultSampleType: number
  /**
   * pprof only: what the file names as default where that is not `sampleTypes[defaultSampleType].type` ('' = it names
   * none, so readers take the last column). Absent: the two agree.
   */
  readonly declaredDefaultType?: string
  readonly periodType: ValueType | null
  readonly period: bigint
  /** Start, unix epoch nanoseconds; 0n when unknown. */
  readonly timeNs: bigint
  readonly durationNs: bigint
  readonly mappings: readonly Mapping[]
  readonly functions: readonly ProfileFunction[]
  readonly locations: readonly Location[]
  readonly stacks: StackTable
  readonly samples: SampleTable
  readonly labelSets: readonly (readonly Label[])[]
  readonly comments: readonly string[]
  /** pprof's regular expressions on function names, '' when unset. */
  readonly dropFrames: string
  readonly keepFrames: string
  readonly docUrl: string
  /** How the profile was captured, when we captured it; null for other producers. */
  readonly capture: CaptureReport | null
  /** Absent in what others produced, and in captures of one target. */
  readonly origins?: Origins
  /** Source text around sampled lines, when it was asked for: in our page and our JSON only. */
  readonly sources?: readonly SourceText[]
}

/** Consecutive lines of a source file. Chunks of one file do not overlap, unless profiles were merged. */
export interface SourceText {
  /** As in `ProfileFunction.fileName`. */
  readonly fileName: string
  /** 1-based number of `lines[0]`. */
  readonly firstLine: number
  /** Without line ends; a very long line is cut and ends with an ellipsis. */
  readonly lines: readonly string[]
}

/** Counts by reason; keys are the stable names of the outcome tables. */
export type CountByReason = Readonly<Record<string, number>>

/** A rate of some target's own, and the samples that were kept by it: each stands for 1 / rateHz seconds of CPU. */
export interface RateUsed {
  /** 'comm nginx'; '' for what no rule names. */
  readonly target: string
  /** 0: never sampled. */
  readonly rateHz: number
  readonly samples: number
}

/** What was captured and how well: the same object feeds `--json`, the summary and the page's quality line. */
export interface CaptureReport {
  readonly target: {
    readonly kind: 'pids' | 'command' | 'all'
    readonly name: string
    readonly pids: readonly number[]
  }
  readonly host: {
    readonly name: string
    readonly kernel: string
    readonly arch: string
    readonly cpus: number
  }
  readonly event: string
  /** Samples per second and CPU; with `rates`, of what none of them names. */
  readonly rateHz: number
  /** Absent where all targets had that one rate; else all that were asked for, the last one that of `rateHz`. */
  readonly rates?: readonly RateUsed[]
  readonly durationNs: number
  readonly samples: { readonly captured: number; readonly kept: number; readonly dropped: CountByReason }
  readonly stacks: {
    readonly complete: number
    readonly approximate: number
    readonly truncated: CountByReason
  }
  /** Frames weighted by samples. */
  readonly frames: { readonly named: number; readonly unnamed: CountByReason }
  readonly overhead: {
    readonly bpfRuns: number
    readonly bpfTimeNs: number
    /** The part of it spent in captured ticks, without their entry; absent where it was not measured. */
    readonly bpfCapturedNs?: number
    readonly cpuNs: number
    readonly rssBytes: number
    /** Memory of all BPF maps: rings, hashes and unwind tables; absent where it was not measured. */
    readonly kernelBytes?: number
  }
  /** How native stacks were unwound; absent where it was not told. Sizes in bytes. */
  readonly unwinding?: {
    readonly variant: string
    /** Stacks that user space finished, because a table was not loaded when they were taken. */
    readonly rawStacks: number
    readonly processes: number
    readonly files: number
    /** Text pages with tables now, and how many were read from files and from the cache. */
    readonly pages: number
    readonly parsedPages: number
    readonly cachedPages: number
    readonly evictedPages: number
    /** Unwind tables in kernel memory: filled at most, and as charged. */
    readonly tableBytesMax: number
    readonly shardBytes: number
  }
  readonly timing: { readonly startToFirstSampleNs: number; readonly lastSampleToFilesNs: number }
  /** Sentences for the user: kptr_restrict hides kernel names, JIT frames need a perf map, ... */
  readonly notes: readonly string[]
}
