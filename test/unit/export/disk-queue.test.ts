import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DiskQueue } from '../../../src/export/disk-queue.ts'
import { type QueueFiles, REAL_FILES } from '../../../src/export/queue-files.ts'
import type { QueueReader } from '../../../src/export/queue-reader.ts'
import { numbered, numberOf, queueOptions, scratch } from '../../helpers/exporting.ts'

const segments = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .sort()

/** Numbers of all there is to read, each settled. */
async function drain(reader: QueueReader): Promise<(number | null)[]> {
  const numbers: (number | null)[] = []
  for (let next = await reader.next(); next; next = await reader.next()) {
    numbers.push(numberOf(next.payload))
    reader.settle(next, null)
  }
  return numbers
}

/** What drops, counted: restored + accepted - settled - dropped - queued. */
function missing(reader: QueueReader, sent: number): number {
  const dropped = Object.values(reader.dropped).reduce((sum, count) => sum + count, 0)
  return reader.restoredSamples + reader.acceptedSamples - sent - dropped - reader.queueSamples
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

test('E-30: what is appended is on disk before append ends, in order, with one fsync', async (t) => {
  const directory = scratch(t)
  const queue = await DiskQueue.open(queueOptions(directory), ['a'])
  await queue.append([numbered(1), numbered(2), numbered(3)], 1000)
  assert.equal(statSync(join(directory, segments(directory)[0]!)).size, 3 * (200 + 28))
  assert.equal(queue.stats().fsyncs, 1)
  assert.deepEqual(await drain(queue.reader('a')), [1, 2, 3])
  await queue.close()
})

test('E-31, E-32: after a restart what was not settled comes again, and only that', async (t) => {
  const directory = scratch(t)
  const first = await DiskQueue.open(queueOptions(directory), ['a', 'b'])
  await first.append(
    range(0, 10).map((n) => numbered(n, 200, 2)),
    1000,
  )
  const reader = first.reader('a')
  const taken = [await reader.next(), await reader.next(), await reader.next()]
  reader.settle(taken[0]!, null)
  reader.settle(taken[2]!, null) // out of order: the cursor stays before the second
  await first.close()
  const again = await DiskQueue.open(queueOptions(directory), ['a', 'b'])
  assert.equal(again.reader('a').restoredSamples, 18)
  assert.equal(again.reader('b').restoredSamples, 20)
  assert.deepEqual(await drain(again.reader('a')), range(1, 10))
  assert.deepEqual(await drain(again.reader('b')), range(0, 10))
  await again.close()
  assert.deepEqual(segments(directory), [], 'settled by all: nothing is left')
})

test('a segment goes when the slowest destination is past it', async (t) => {
  const directory = scratch(t)
  const queue = await DiskQueue.open(queueOptions(directory, { maxBytes: 1 << 20 }), ['fast', 'slow'])
  for (const n of range(0, 40)) await queue.append([numbered(n, 10_000)], 1000)
  assert.ok(segments(directory).length >= 3)
  await drain(queue.reader('fast'))
  assert.ok(segments(directory).length >= 3, 'the slow one has still to read')
  assert.deepEqual(await drain(queue.reader('slow')), range(0, 40))
  await queue.close()
  assert.deepEqual(segments(directory), [])
})

test('a destination no longer configured pins nothing; its rest goes to the one that came instead', async (t) => {
  const directory = scratch(t)
  const first = await DiskQueue.open(queueOptions(directory), ['old', 'kept'])
  await first.append(
    range(0, 6).map((n) => numbered(n)),
    1000,
  )
  await drain(first.reader('kept'))
  for (let n = 0; n < 2; n++) first.reader('old').settle((await first.reader('old').next())!, null)
  await first.close()
  const second = await DiskQueue.open(queueOptions(directory), ['new', 'kept'])
  assert.deepEqual(await drain(second.reader('kept')), [])
  assert.deepEqual(await drain(second.reader('new')), [2, 3, 4, 5])
  assert.equal(readdirSync(directory).filter((name) => name.endsWith('.cursor')).length, 2)
  await second.close()
  assert.deepEqual(segments(directory), [])
})

test('the cap drops the oldest first and counts it, in samples and requests', async (t) => {
  const directory = scratch(t)
  const queue = await DiskQueue.open(queueOptions(directory, { maxBytes: 1 << 20 }), ['a'])
  const reader = queue.reader('a')
  await queue.append([numbered(0, 10_000, 3)], 1000)
  const flying = (await reader.next())!
  for (const n of range(1, 300)) {
    await queue.append([numbered(n, 10_000, 3)], 1000)
    assert.ok(queue.stats().diskBytes <= 1 << 20)
    assert.equal(missing(reader, 0), 0)
  }
  reader.settle(flying, null) // in flight while its segment went
  const rest = await drain(reader)
  assert.deepEqual(rest, range(300 - rest.length, 300), 'the newest are there')
  assert.ok(rest.length >= 85, `only ${rest.length} of about 104 that fit`)
  assert.equal(reader.droppedRequests.queue_full, 299 - rest.length)
  assert.equal(reader.dropped.queue_full, 3 * (299 - rest.length))
  assert.equal(missing(reader, 3 * (rest.length + 1)), 0)
  await queue.append([numbered(1, 2 << 20, 7)], 1000)
  assert.equal(reader.dropped.too_large, 7)
  await queue.close()
})

test('E-33: a tail cut at every byte costs what was behind the cut, is counted, and blocks nothing', async (t) => {
  const directory = scratch(t)
  const source = await DiskQueue.open(queueOptions(directory), ['a'])
  await source.append([numbered(0, 60), numbered(1, 60), numbered(2, 60)], 1000)
  const whole = readFileSync(join(directory, segments(directory)[0]!))
  await source.close()
  for (let length = 0; length <= whole.length; length++) {
    const cut = scratch(t)
    writeFileSync(join(cut, '0000000000000001.seg'), whole.subarray(0, length))
    const queue = await DiskQueue.open(queueOptions(cut), ['a'])
    const kept = Math.floor(length / 88)
    assert.equal(queue.reader('a').restoredSamples, kept)
    await queue.append([numbered(9)], 1000)
    assert.deepEqual(await drain(queue.reader('a')), [...range(0, kept), 9])
    assert.equal(queue.stats().tornTails, length % 88 === 0 ? 0 : 1)
    await queue.close()
  }
})

test('E-33: a flipped byte anywhere costs its record, or the rest of its segment; nothing damaged is handed out', async (t) => {
  const directory = scratch(t)
  const source = await DiskQueue.open(queueOptions(directory), ['a'])
  await source.append([numbered(0, 60), numbered(1, 60), numbered(2, 60)], 1000)
  const whole = readFileSync(join(directory, segments(directory)[0]!))
  await source.close()
  for (let at = 0; at < whole.length; at++) {
    const flipped = scratch(t)
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 1 << (at % 8)
    writeFileSync(join(flipped, '0000000000000001.seg'), bytes)
    const queue = await DiskQueue.open(queueOptions(flipped), ['a'])
    await queue.append([numbered(9)], 1000)
    const [record, isHeader] = [Math.floor(at / 88), at % 88 < 28]
    const expected = isHeader ? range(0, record) : range(0, 3).filter((n) => n !== record)
    assert.deepEqual(await drain(queue.reader('a')), [...expected, 9], `byte ${at}`)
    assert.equal(queue.stats().corruptRecords, 1)
    assert.ok(queue.stats().corruptBytes > 0)
    assert.equal(missing(queue.reader('a'), expected.length + 1), 0)
    await queue.close()
  }
})

test('zeros at the end, as power loss leaves them, are a torn tail; a file of garbage is quarantined', async (t) => {
  const directory = scratch(t)
  writeFileSync(join(directory, '0000000000000004.seg'), Buffer.alloc(100_000))
  writeFileSync(join(directory, '0000000000000005.seg'), Buffer.alloc(100_000, 'garbage'))
  writeFileSync(join(directory, 'notes.txt'), 'not ours')
  const queue = await DiskQueue.open(queueOptions(directory), ['a'])
  const { tornTails, corruptRecords, corruptBytes } = queue.stats()
  assert.deepEqual(
    { tornTails, corruptRecords, corruptBytes },
    { tornTails: 1, corruptRecords: 1, corruptBytes: 100_000 },
  )
  await queue.append([numbered(7)], 1000)
  assert.deepEqual(await drain(queue.reader('a')), [7])
  await queue.close()
  assert.ok(existsSync(join(directory, 'notes.txt')))
})

test('E-34: a damaged cursor starts from the oldest and keeps running', async (t) => {
  const directory = scratch(t)
  const first = await DiskQueue.open(queueOptions(directory), ['a'])
  await first.append(
    range(0, 4).map((n) => numbered(n)),
    1000,
  )
  first.reader('a').settle((await first.reader('a').next())!, null)
  await first.close()
  const cursor = readdirSync(directory).find((name) => name.endsWith('.cursor'))!
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(64, 0xff),
    readFileSync(join(directory, cursor)).subarray(0, 20),
  ]) {
    writeFileSync(join(directory, cursor), bytes)
    const queue = await DiskQueue.open(queueOptions(directory), ['a'])
    assert.equal(queue.reader('a').restoredSamples, 4)
    await queue.close()
    writeFileSync(join(directory, cursor), bytes)
  }
})

test('a second agent on the directory is refused by name; a lock without an owner is taken over', async (t) => {
  const directory = scratch(t)
  const queue = await DiskQueue.open(queueOptions(directory), ['a'])
  await assert.rejects(DiskQueue.open(queueOptions(directory), ['a']), {
    code: 'already_running',
    message: new RegExp(`${directory}: pid ${process.pid} has it open`),
  })
  const own = JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))
  await queue.close()
  assert.ok(!existsSync(join(directory, 'lock')))
  for (const dead of [
    { ...own, startTicks: '1' }, // the pid is another process now
    { ...own, pid: 4_194_304 },
    { ...own, boot: 'another' },
  ]) {
    writeFileSync(join(directory, 'lock'), JSON.stringify(dead))
    await (await DiskQueue.open(queueOptions(directory), ['a'])).close()
  }
})

/** Real files, but opening to write and writing fail with `code()` while it is not null. */
function failing(code: () => string | null): QueueFiles {
  const fail = () => {
    const now = code()
    if (now !== null) throw Object.assign(new Error(now), { code: now })
  }
  return {
    ...REAL_FILES,
    open: async (path, flags, mode) => {
      if (flags !== 'r') fail()
      const handle = await REAL_FILES.open(path, flags, mode)
      const writev = handle.writev.bind(handle)
      handle.writev = (async (...args: Parameters<typeof writev>) => {
        fail()
        return writev(...args)
      }) as typeof handle.writev
      return handle
    },
  }
}

for (const code of ['ENOSPC', 'EROFS', 'EIO']) {
  test(`${code}: goes on in memory within its budget, says so, and writes out when the disk is well`, async (t) => {
    let now: string | null = null
    const directory = scratch(t)
    const queue = await DiskQueue.open(
      queueOptions(directory, { memoryBytes: 100_000 }),
      ['a'],
      failing(() => now),
    )
    const reader = queue.reader('a')
    await queue.append([numbered(0, 10_000)], 1000)
    now = code
    for (const n of range(1, 6)) await queue.append([numbered(n, 10_000)], 1000)
    assert.equal(queue.stats().durable, false)
    assert.match(queue.note ?? '', new RegExp(`${directory} fails \\(${code}\\): new data is held in memory`))
    assert.ok(queue.stats().diskErrors[code]! >= 1)
    assert.equal(queue.stats().memoryBytes, 5 * 10_028)
    for (const n of range(6, 30)) await queue.append([numbered(n, 10_000)], 1000)
    assert.ok(queue.stats().memoryBytes <= 100_000)
    const reason = code === 'ENOSPC' ? 'disk_full' : 'disk_unwritable'
    assert.ok(reader.dropped[reason]! >= 20, JSON.stringify(reader.dropped))
    assert.equal(missing(reader, 0), 0)
    now = null
    await queue.close() // tries once more
    assert.equal(missing(reader, 0), 0)
    assert.equal(reader.dropped.shutdown, undefined)
    const again = await DiskQueue.open(queueOptions(directory), ['a'])
    assert.equal(again.reader('a').restoredSamples, reader.queueSamples)
    const left = await drain(again.reader('a'))
    assert.deepEqual(left.slice(-5), range(25, 30))
    await again.close()
  })
}

test('what is in memory only when the agent ends and the disk still fails is counted', async () => {
  const queue = await DiskQueue.open(queueOptions('/proc/nowhere'), ['a'])
  assert.match(queue.note ?? '', /\/proc\/nowhere fails/)
  await queue.append([numbered(1, 100, 5)], 1000)
  const reader = queue.reader('a')
  assert.equal(reader.queueSamples, 5)
  await queue.close()
  assert.deepEqual([reader.queueSamples, reader.dropped.shutdown], [0, 5])
})

test('a failed fsync is not believed: the records are in memory until they are written elsewhere', async (t) => {
  let fails = false
  const files: QueueFiles = {
    ...REAL_FILES,
    open: async (path, flags, mode) => {
      const handle = await REAL_FILES.open(path, flags, mode)
      const sync = handle.datasync.bind(handle)
      handle.datasync = () =>
        fails ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' })) : sync()
      return handle
    },
  }
  const directory = scratch(t)
  const queue = await DiskQueue.open(queueOptions(directory), ['a'], files)
  await queue.append([numbered(0)], 1000)
  fails = true
  await queue.append([numbered(1), numbered(2)], 1000)
  assert.equal(queue.stats().durable, false)
  assert.equal(statSync(join(directory, segments(directory)[0]!)).size, 228)
  assert.deepEqual(await drain(queue.reader('a')), [0, 1, 2])
  fails = false
  await queue.close()
})

test('the queue is opened without reading it: 2 000 records of 20 kB in less than 10 MB of memory', async (t) => {
  const directory = scratch(t)
  const first = await DiskQueue.open(queueOptions(directory, { fsync: 'never' }), ['a'])
  for (const n of range(0, 2000)) await first.append([numbered(n, 20_000)], 1000)
  await first.close()
  let read = 0
  const files: QueueFiles = {
    ...REAL_FILES,
    open: async (path, flags, mode) => {
      const handle = await REAL_FILES.open(path, flags, mode)
      const original = handle.read.bind(handle) as (...args: unknown[]) => Promise<{ bytesRead: number }>
      handle.read = (async (...args: unknown[]) => {
        assert.ok((args[0] as Buffer).length <= 64 * 1024)
        read++
        return original(...args)
      }) as typeof handle.read
      return handle
    },
  }
  const queue = await DiskQueue.open(queueOptions(directory), ['a'], files)
  assert.equal(queue.reader('a').restoredSamples, 2000)
  assert.ok(read < 1000, `${read} reads`)
  await queue.close()
})
