/** Batches of samples, as the addon gives them, from a list of stacks and samples. */
import type { AbiNames, SampleBatch } from '../../../src/native/sample-batch.ts'

/** Two complete ends, an approximate and two truncated ones. */
export const STACK_ENDS: AbiNames['stackEnds'] = [
  { name: 'root', quality: 'complete' },
  { name: 'kernel_thread', quality: 'complete' },
  { name: 'guessed_step', quality: 'approximate' },
  { name: 'bad_frame_pointer', quality: 'truncated' },
  { name: 'depth_limit', quality: 'truncated' },
]

export interface Stack {
  readonly pid: number
  readonly timeNs?: number
  /** Leaf first, as the addon orders them. */
  readonly kernel?: readonly number[]
  readonly user: readonly number[]
}

export interface Sample {
  readonly stack: number
  readonly pid: number
  readonly tid?: number
  readonly timeNs?: number
  readonly processStartNs?: number
  readonly cgroupId?: number
  readonly comm?: string
  readonly end?: number
  readonly rule?: number
}

export interface BatchParts {
  readonly firstNewStack?: number
  readonly stacks?: readonly Stack[]
  readonly samples?: readonly Sample[]
}

export function sampleBatch({ firstNewStack = 0, stacks = [], samples = [] }: BatchParts): SampleBatch {
  const comms = [...new Set(samples.map((sample) => sample.comm ?? 'main'))]
  const starts = [0]
  for (const { kernel = [], user } of stacks) starts.push(starts.at(-1)! + kernel.length + user.length)
  return {
    stack: Int32Array.from(samples, (sample) => sample.stack),
    pid: Int32Array.from(samples, (sample) => sample.pid),
    tid: Int32Array.from(samples, (sample) => sample.tid ?? sample.pid),
    timeNs: Float64Array.from(samples, (sample) => sample.timeNs ?? 0),
    processStartNs: Float64Array.from(samples, (sample) => sample.processStartNs ?? 0),
    cgroupId: Float64Array.from(samples, (sample) => sample.cgroupId ?? 0),
    comm: Int32Array.from(samples, (sample) => comms.indexOf(sample.comm ?? 'main')),
    comms,
    stackEnd: Uint8Array.from(samples, (sample) => sample.end ?? 0),
    rule: Uint8Array.from(samples, (sample) => sample.rule ?? 0),
    firstNewStack,
    newStackPid: Int32Array.from(stacks, (stack) => stack.pid),
    newStackTimeNs: Float64Array.from(stacks, (stack) => stack.timeNs ?? 0),
    newStackKernelFrames: Int32Array.from(stacks, (stack) => stack.kernel?.length ?? 0),
    newStackStart: Int32Array.from(starts),
    frames: Float64Array.from(stacks.flatMap(({ kernel = [], user }) => [...kernel, ...user])),
  }
}
