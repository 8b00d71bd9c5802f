/** Options that every test of the sampler starts from, and why it may have to be skipped. */
import { spawnSync } from 'node:child_process'
import type { SamplerOptions } from '../../src/native/sampler.ts'

export const OPTIONS: SamplerOptions = {
  rateHz: 199,
  baseShare: 1,
  rateRules: [],
  event: 'auto',
  byPid: true,
  cgroupFds: [],
  comms: [],
  pidNamespaces: [],
  kernelStacks: true,
  dither: 4,
  pidNamespaceInode: 0,
  ringBytes: 1 << 20,
  unwinder: 'auto',
  cacheDir: '',
  kernelBudgetBytes: 16 << 20,
  userBudgetBytes: 16 << 20,
  rawRingBytes: 1 << 20,
  rawStacksPerSecond: 1000,
}

/** `skip` of a test that opens a sampler: BPF and perf events want root. */
export const needsRoot = process.getuid?.() === 0 ? false : 'only root may load BPF programs here'

/** `skip` of a test that gives its privileges up. */
export const needsSetpriv =
  needsRoot || (spawnSync('setpriv', ['--version']).error ? 'setpriv (util-linux) is not installed' : false)
