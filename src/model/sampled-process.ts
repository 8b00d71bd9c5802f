/** A process that samples were taken of, as the kernel knew it when it took them. */
export interface SampledProcess {
  readonly pid: number
  /** 0 when unknown. */
  readonly parentPid: number
  /** Name of the thread group leader. */
  readonly comm: string
  /** Inode of its cgroup v2 directory, 0n when unknown. */
  readonly cgroupId: bigint
  /** CLOCK_BOOTTIME nanoseconds of its start: with the pid, its identity. 0 when unknown. */
  readonly startNs: number
}

/** Which process the samples of each label set are of. */
export interface Origins {
  readonly processes: readonly SampledProcess[]
  /** Index into `processes`, by label set. */
  readonly ofLabelSet: Int32Array
}
