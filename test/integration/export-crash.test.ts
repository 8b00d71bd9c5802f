/** The export queue against what a host does to it: kill -9, a full disk, a read-only one. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DiskQueue } from '../../src/export/disk-queue.ts'
import { Exporter } from '../../src/export/exporter.ts'
import {
  accept,
  destinationOptions,
  exporterOptions,
  imbalance,
  numbered,
  numberOf,
  queueOptions,
  receiver,
  scratch,
  until,
} from '../helpers/exporting.ts'

const CHILD = resolve('dist/test/helpers/enqueue-forever.js')
const RUNS = 20

test(`kill -9 at ${RUNS} random points: every accepted request arrives at least once, none damaged`, async (t) => {
  const directory = scratch(t)
  const arrived = new Set<number | null>()
  let answers = 0
  const to = await receiver((response, request, body) => {
    arrived.add(numberOf(body))
    if (++answers % 7 === 0)
      response.destroy() // taken, and the answer is lost
    else if (answers % 5 === 0) response.writeHead(503).end()
    else accept(response, request, body)
  })
  const accepted = new Set<number>()
  for (let run = 0; run < RUNS; run++) {
    const child = spawn(process.execPath, [CHILD, directory, String(run * 100_000), to.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])
    assert.equal(child.exitCode, null, 'a lock of the dead does not stop the next')
    await sleep(Math.random() * 60)
    child.kill('SIGKILL')
    await once(child, 'close')
    for (const line of printed.split('\n').slice(0, -1)) accepted.add(Number(line))
  }
  const last = new Exporter(exporterOptions(directory, [destinationOptions({ endpoint: to.url })]))
  await last.open()
  await until(() => last.stats().destinations[0]!.queueRequests === 0)
  assert.deepEqual(last.stats().destinations[0]!.dropped, {})
  await last.close(1000)
  await to.close()
  assert.ok(!arrived.has(null), 'a damaged request was sent')
  const lost = [...accepted].filter((number) => !arrived.has(number))
  assert.deepEqual(lost, [], `of ${accepted.size} accepted`)
  t.diagnostic(`${accepted.size} accepted, ${arrived.size} arrived, ${answers} sent`)
  assert.ok(accepted.size > RUNS * 2)
})

/** A file system of its own, or null with the reason printed. */
function tmpfs(t: TestContext, bytes: number): string | null {
  const path = mkdtempSync(join(tmpdir(), 'emberscope-export-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'pipe' })
  } catch (error) {
    rmdirSync(path)
    t.skip(`cannot mount a tmpfs: ${(error as Error).message.split('\n')[0]}`)
    return null
  }
  // Hooks run in the order they were told: the directory can go only once nothing is mounted on it.
  t.after(() => {
    execFileSync('umount', [path])
    rmdirSync(path)
  })
  return path
}

async function drained(queue: DiskQueue, name: string): Promise<(number | null)[]> {
  const [reader, numbers] = [queue.reader(name), [] as (number | null)[]]
  for (let next = await reader.next(); next; next = await reader.next()) {
    numbers.push(numberOf(next.payload))
    reader.settle(next, null)
  }
  return numbers
}

test('a disk that is full: the oldest goes, the newest is kept, deletes work, and all is durable again', async (t) => {
  const path = tmpfs(t, 2 << 20)
  if (path === null) return
  const options = queueOptions(join(path, 'queue'), { maxBytes: 100 << 20, memoryBytes: 256 * 1024 })
  const queue = await DiskQueue.open(options, ['a'])
  for (let n = 0; n < 300; n++) await queue.append([numbered(n, 20_000, 1)], 1000)
  const reader = queue.reader('a')
  assert.ok(queue.stats().diskErrors.ENOSPC! > 0)
  assert.ok(reader.dropped.disk_full! > 0)
  const kept = reader.queueSamples
  assert.equal(kept + reader.dropped.disk_full!, 300)
  const numbers = await drained(queue, 'a')
  assert.deepEqual(numbers.slice(-10), [290, 291, 292, 293, 294, 295, 296, 297, 298, 299])
  assert.equal(numbers.length, kept)
  t.diagnostic(`kept ${kept} of 300 requests of 20 kB on 2 MB; ${queue.note ?? 'durable'}`)
  await queue.close()
  assert.deepEqual(
    readdirSync(join(path, 'queue')).filter((name) => name.endsWith('.seg')),
    [],
    'what was sent is deleted',
  )
})

test('a disk filled up by others: data goes on in memory, is sent from there, and the disk is used again later', async (t) => {
  const path = tmpfs(t, 2 << 20)
  if (path === null) return
  const directory = join(path, 'queue')
  const queue = await DiskQueue.open(queueOptions(directory, { memoryBytes: 256 * 1024 }), ['a'])
  await queue.append([numbered(0, 20_000)], 1000)
  const ballast = openSync(join(path, 'ballast'), 'w')
  assert.throws(() => {
    for (;;) writeSync(ballast, Buffer.alloc(4096))
  }, /ENOSPC/)
  closeSync(ballast)
  for (let n = 1; n < 10; n++) await queue.append([numbered(n, 20_000)], 1000)
  assert.match(queue.note ?? '', /fails \(ENOSPC\)/)
  const taken = await queue.reader('a').next()
  queue.reader('a').settle(taken!, null) // the cursor is written on a full disk, too
  rmSync(join(path, 'ballast'))
  await queue.close()
  const again = await DiskQueue.open(queueOptions(directory), ['a'])
  assert.deepEqual(await drained(again, 'a'), [1, 2, 3, 4, 5, 6, 7, 8, 9])
  await again.close()
})

test('a file system that becomes read-only: what is on it is still sent, what is new too', async (t) => {
  const path = tmpfs(t, 4 << 20)
  if (path === null) return
  const directory = join(path, 'queue')
  const first = await DiskQueue.open(queueOptions(directory), ['default'])
  await first.append([numbered(1), numbered(2)], 1000)
  await first.close()
  execFileSync('mount', ['-o', 'remount,ro', path])
  assert.throws(() => writeFileSync(join(path, 'x'), ''), /EROFS/)
  const to = await receiver()
  const exporter = new Exporter(exporterOptions(directory, [destinationOptions({ endpoint: to.url })]))
  await exporter.open()
  assert.match(exporter.stats().note ?? '', /fails \(EROFS\)/)
  await exporter.enqueue([numbered(3), numbered(4)])
  await until(() => exporter.stats().destinations[0]!.sentRequests === 4)
  assert.equal(imbalance(exporter.stats().destinations[0]!), 0)
  await exporter.close(1000)
  await to.close()
  assert.deepEqual(
    to.requests.map(({ body }) => numberOf(body)).sort((a, b) => a! - b!),
    [1, 2, 3, 4],
  )
})
