/** How large the rings must be so that a stalled event loop loses nothing. */

/** A full garbage collection of a large heap, or a suspended laptop's first second: the loop comes back within this. */
const STALL_SECONDS = 3
/** A deep-ish stack; header of the record (64 B, bpf/abi.h) and of the ring (8 B) included. */
const RECORD_BYTES = 72 + 64 * 8
const RING_BYTES_MIN = 256 * 1024
const RING_BYTES_MAX = 512 * 1024 * 1024

/** Bytes of the ring, a power of two: every CPU busy in the target for a 3 s stall at 64 frames a sample. */
export function ringBytes(rateHz: number, cpus: number): number {
  const needed = rateHz * cpus * STALL_SECONDS * RECORD_BYTES
  return Math.min(RING_BYTES_MAX, Math.max(RING_BYTES_MIN, 2 ** Math.ceil(Math.log2(needed))))
}

/** A deep raw stack, headers included; the deepest have 160 KiB, most some KiB. */
const RAW_STACK_BYTES = 16 * 1024 + 512
/** Misses come in bursts, when a program starts: for half a second, and a turn, every sample is one. */
const BURST_SECONDS = 0.4
const RAW_RING_BYTES_MAX = 64 * 1024 * 1024

/** Bytes of the ring of raw stacks, a power of two. */
export function rawRingBytes(rateHz: number, cpus: number, turnMs: number): number {
  const needed = rateHz * cpus * (BURST_SECONDS + turnMs / 1000) * RAW_STACK_BYTES
  return Math.min(RAW_RING_BYTES_MAX, Math.max(RING_BYTES_MIN, 2 ** Math.ceil(Math.log2(needed))))
}
