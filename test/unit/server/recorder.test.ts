import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { decodeWindow, encodeWindow } from '../../../src/formats/packed-window.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { Recorder } from '../../../src/server/recorder.ts'
import { FAKE_REPORT } from '../../helpers/fake-world.ts'
import { nodeServerProfile, profileOf } from '../../helpers/sample-profile.ts'

const SECOND = 1_000_000_000n
const START = 1_790_000_000n * SECOND

/** Window number `n` of 10 s, with one sample of function `f<n>`. */
function window(n: number): Profile {
  return {
    ...profileOf([{ frames: ['main', `f${n}`], count: 1 }], FAKE_REPORT),
    timeNs: START + BigInt(n) * 10n * SECOND,
    durationNs: 10n * SECOND,
  }
}

const names = (profile: Profile | null): string[] =>
  (profile?.functions ?? []).map((f) => f.name).filter((name) => name !== 'main')
const settled = async (recorder: Recorder): Promise<void> => {
  for (const { id } of recorder.windows()) await recorder.packed(id)
}

test('merges the windows that overlap a time, ends excluded', async () => {
  const recorder = new Recorder({ minutes: 15, maxBytes: 1 << 20 })
  for (let n = 0; n < 5; n++) recorder.add(window(n))
  const between = (from: bigint, to: bigint): string[] =>
    names(recorder.between(START + from * SECOND, START + to * SECOND))
  assert.deepEqual(between(10n, 30n), ['f1', 'f2'])
  assert.deepEqual(between(15n, 16n), ['f1'])
  assert.deepEqual(between(0n, 1000n), ['f0', 'f1', 'f2', 'f3', 'f4'])
  assert.deepEqual(between(50n, 60n), [])
  await settled(recorder)
  assert.deepEqual(between(10n, 30n), ['f1', 'f2'], 'compressed')
  assert.deepEqual(names(await recorder.merge(START + 10n * SECOND, START + 30n * SECOND)), ['f1', 'f2'])
})

test('forgets what is older than its minutes, by the time recorded, and counts it', async () => {
  const recorder = new Recorder({ minutes: 0.5, maxBytes: 1 << 20 })
  for (let n = 0; n < 10; n++) recorder.add(window(n))
  assert.deepEqual(
    recorder.windows().map(({ id }) => id),
    [8, 9, 10],
  )
  // A clock that was set back an hour makes no window immortal.
  for (let n = -360; n < -350; n++) recorder.add(window(n))
  await settled(recorder)
  assert.equal(recorder.windows().length, 3)
  const { added, windows, dropped } = recorder.stats()
  assert.deepEqual(
    { added, windows, dropped },
    { added: 20, windows: 3, dropped: { age: 17, size: 0, too_large: 0 } },
  )
})

test('holds no more bytes than it may: the oldest go first, one that never fits is counted too', async () => {
  const one = new Recorder({ minutes: 15, maxBytes: 1 << 20 })
  one.add(window(0))
  await settled(one)
  const { bytes } = one.stats()
  const recorder = new Recorder({ minutes: 15, maxBytes: bytes * 3 + 64 })
  for (let n = 0; n < 8; n++) {
    recorder.add(window(n))
    await settled(recorder)
    assert.ok(recorder.stats().bytes <= recorder.stats().maxBytes)
  }
  assert.deepEqual(
    recorder.windows().map(({ id }) => id),
    [6, 7, 8],
  )
  assert.equal(recorder.stats().dropped.size, 5)
  const small = new Recorder({ minutes: 15, maxBytes: 100 })
  small.add(window(0))
  await new Promise((done) => setTimeout(done, 50))
  assert.deepEqual(small.stats().dropped, { age: 0, size: 0, too_large: 1 })
  assert.deepEqual([small.stats().bytes, small.stats().windows], [0, 0])
})

test('records nothing when it has no minutes or no bytes', () => {
  for (const options of [
    { minutes: 0, maxBytes: 100 },
    { minutes: 1, maxBytes: 0 },
  ]) {
    const recorder = new Recorder(options)
    assert.equal(recorder.add(window(0)), null)
    assert.equal(recorder.between(0n, 2n ** 63n), null)
  }
})

test('hands out a window as it lies there, and null for one that is gone', async () => {
  const recorder = new Recorder({ minutes: 15, maxBytes: 1 << 20 })
  const origins = {
    processes: [{ pid: 7, parentPid: 1, comm: 'a "b"', cgroupId: 2n ** 63n, startNs: 1.5e15 }],
    ofLabelSet: Int32Array.of(0),
  }
  const profile = { ...nodeServerProfile(), origins }
  recorder.add(profile)
  const bytes = await recorder.packed(1)
  const back = decodeWindow(inflateSync(bytes!))
  assert.deepEqual(back, profile)
  assert.deepEqual(recorder.between(0n, 2n ** 63n)!.origins, origins)
  assert.equal(await recorder.packed(2), null)
})

test('refuses damaged windows at every length, and origins that point nowhere', () => {
  const origins = {
    processes: [{ pid: 7, parentPid: 1, comm: 'a', cgroupId: 3n, startNs: 5 }],
    ofLabelSet: Int32Array.of(0),
  }
  const bytes = encodeWindow({ ...profileOf([{ frames: ['a'], count: 1 }]), origins })
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => decodeWindow(bytes.subarray(0, length)), { code: 'input_invalid' }, `${length} bytes`)
  const text = Buffer.from(bytes).toString('latin1')
  for (const wrong of ['"ofLabelSet":[7]', '"ofLabelSet":[-2', '"ofLabelSe":[[0]']) {
    const damaged = Buffer.from(text.replace(/"ofLabelSet":\[0\]/, wrong.padEnd(16)), 'latin1')
    assert.throws(() => decodeWindow(damaged), { code: 'input_invalid' }, wrong)
  }
})

test('200 windows of 2 000 samples stay within 8 MB', async () => {
  const recorder = new Recorder({ minutes: 15, maxBytes: 8 << 20 })
  const big = { ...nodeServerProfile(), durationNs: 10n * SECOND }
  for (let n = 0; n < 200; n++) recorder.add({ ...big, timeNs: START + BigInt(n) * 10n * SECOND })
  await settled(recorder)
  const { windows, bytes } = recorder.stats()
  assert.equal(windows, 90)
  assert.ok(bytes < 8 << 20, `${bytes} bytes`)
})

test('gives memory back when asked: the oldest first, no more than it must, counted', async () => {
  const recorder = new Recorder({ minutes: 15, maxBytes: 1 << 20 })
  for (let n = 0; n < 4; n++) recorder.add(window(n))
  await settled(recorder)
  const { bytes } = recorder.stats()
  const freed = recorder.shrink(1)
  assert.ok(freed >= 1 && freed < bytes)
  assert.deepEqual(
    recorder.windows().map(({ id }) => id),
    [2, 3, 4],
  )
  assert.equal(recorder.shrink(Number.POSITIVE_INFINITY), bytes - freed)
  assert.equal(recorder.shrink(1), 0)
  assert.deepEqual(recorder.stats().dropped, { age: 0, size: 4, too_large: 0 })
})
