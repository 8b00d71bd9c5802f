import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rawRingBytes, ringBytes } from '../../../src/pipeline/ring-size.ts'

/** Bytes of a sample with 64 frames in the ring: the ring's header, the record's, the addresses. */
const SAMPLE_BYTES = 8 + 64 + 64 * 8

describe('ringBytes', () => {
  it('holds 3 s of samples of 64 frames from every CPU, up to the largest ring', () => {
    for (const rateHz of [1, 19, 99, 199, 499, 999])
      for (const cpus of [1, 2, 3, 8, 64, 256])
        assert.ok(ringBytes(rateHz, cpus) >= rateHz * cpus * 3 * SAMPLE_BYTES, `${rateHz} Hz, ${cpus} CPUs`)
  })

  it('is a power of two, as the kernel asks, and less than twice what is needed', () => {
    for (const rateHz of [1, 97, 99, 999])
      for (const cpus of [1, 5, 12, 96]) {
        const bytes = ringBytes(rateHz, cpus)
        assert.equal(2 ** Math.round(Math.log2(bytes)), bytes)
        assert.ok(bytes === 256 * 1024 || bytes < 2 * rateHz * cpus * 3 * SAMPLE_BYTES)
      }
  })

  it('is what it was measured with', () => {
    assert.equal(ringBytes(99, 2), 512 * 1024)
    assert.equal(ringBytes(999, 2), 4 * 1024 * 1024)
    assert.equal(ringBytes(999, 64), 128 * 1024 * 1024)
  })

  it('stays within its bounds', () => {
    assert.equal(ringBytes(1, 1), 256 * 1024)
    assert.equal(ringBytes(999, 4096), 512 * 1024 * 1024)
  })
})

describe('rawRingBytes', () => {
  it('is a power of two that holds half a second of misses on every CPU, up to 64 MiB', () => {
    for (const rateHz of [1, 19, 99, 999])
      for (const cpus of [1, 2, 5, 64]) {
        const bytes = rawRingBytes(rateHz, cpus, 100)
        assert.equal(2 ** Math.round(Math.log2(bytes)), bytes)
        assert.ok(bytes === 64 << 20 || bytes >= (rateHz * cpus * 16_384) / 2, `${rateHz} Hz, ${cpus} CPUs`)
      }
  })

  it('is what it was measured with', () => {
    assert.equal(rawRingBytes(19, 2, 100), 512 * 1024)
    assert.equal(rawRingBytes(99, 2, 100), 2 * 1024 * 1024)
    assert.equal(rawRingBytes(999, 256, 100), 64 * 1024 * 1024)
  })

  it('lasts for a longer turn', () => {
    assert.equal(rawRingBytes(19, 2, 1000), 1024 * 1024)
  })
})
