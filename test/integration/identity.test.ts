/** Who a process is, asked of real ones: cgroup v2 directories, contexts honest and hostile, processes that are gone. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { ContainerLookup } from '../../src/identity/container-lookup.ts'
import { Identity, type IdentityOptions } from '../../src/identity/identity.ts'
import { KnownProcesses } from '../../src/identity/known-processes.ts'
import { ContextReader, findContext } from '../../src/identity/process-context.ts'
import type { SampledProcess } from '../../src/model/sampled-process.ts'
import { packageRoot } from '../../src/native/addon.ts'
import { readComm, readStat } from '../../src/process/proc-files.ts'
import { startIdle, until } from '../helpers/busy-process.ts'
import { findTool, skipUnless } from '../helpers/host.ts'
import { podEvents, podList, podObject, startKubeApi } from '../helpers/kube-api.ts'
import { attribute, contextOf, field, textValue } from '../helpers/process-context.ts'

const OPTIONS: IdentityOptions = {
  environment: {},
  kubernetes: null,
  processContext: true,
  commandLine: false,
}
const ID = '5e'.repeat(32)
const POD = '3f2504e0-4f89-11d3-9a0c-0305e82c3301'

/** A live process as a sample shows it. */
function sampled(pid: number, cgroupId = 0n): SampledProcess {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ')
  const startNs = Number(fields[19]) * 1e7 // starttime, 100 ticks a second
  return { pid, parentPid: readStat(pid)!.parent, comm: readComm(pid), cgroupId, startNs }
}

const open: { close(): void }[] = []
function identity(options: Partial<IdentityOptions> = {}): Identity {
  const made = new Identity({ ...OPTIONS, ...options })
  open.push(made)
  return made
}
after(() => open.forEach((one) => void one.close()))

function cgroup2Mount(): string {
  return /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1] ?? ''
}

/** Runs with a directory `path` below a v2 cgroup of this test, removed afterwards. */
async function withCgroup(
  path: string,
  use: (directory: string, id: bigint) => Promise<void>,
): Promise<void> {
  const root = join(cgroup2Mount(), `emberscope-${process.pid}`)
  const directory = join(root, path)
  mkdirSync(directory, { recursive: true })
  try {
    await use(directory, statSync(directory, { bigint: true }).ino)
  } finally {
    for (let at = directory; at.startsWith(root); at = dirname(at)) rmdirSync(at)
  }
}

const skipCgroups = skipUnless() || (cgroup2Mount() === '' && 'needs a cgroup v2 hierarchy')

describe('identity of live processes', () => {
  it('gives a process outside of containers its own resource, of the host', () => {
    const who = identity({ commandLine: true })
    const child = startIdle()
    const process = sampled(child.pid)
    who.observe([process])
    const attributes = who.attributesOf(process)
    child.kill('SIGKILL')
    assert.equal(attributes['process.pid'], child.pid)
    assert.equal(attributes['process.parent_pid'], globalThis.process.pid)
    assert.equal(
      attributes['process.executable.name'],
      attributes['process.executable.path']?.toString().split('/').pop(),
    )
    assert.equal(attributes['service.name'], `unknown_service:${attributes['process.executable.name']}`)
    assert.equal(attributes['process.command_line'], 'sleep 600')
    const age = Date.now() - Date.parse(String(attributes['process.creation.time']))
    assert.ok(Math.abs(age) < 5_000, `created ${age} ms ago`)
    for (const [key, value] of Object.entries(who.host())) assert.equal(attributes[key], value)
    assert.ok(Object.isFrozen(attributes))
    assert.equal(who.attributesOf(process), attributes)
  })

  it('keeps command lines to itself unless asked', () => {
    const who = identity()
    assert.equal(who.attributesOf(sampled(process.pid))['process.command_line'], undefined)
  })

  it('tells two processes of one pid apart, and knows the first while its window is open', () => {
    const who = identity()
    const now = sampled(process.pid)
    const before = { ...now, startNs: now.startNs - 1e9, comm: 'before' }
    who.observe([before])
    const first = who.attributesOf(before)
    who.observe([now])
    assert.notEqual(who.attributesOf(now), first)
    assert.equal(who.attributesOf(before), first)
  })

  it('names a process that was gone when it was first seen by its command', () => {
    const who = identity()
    const gone = { pid: 2 ** 22 + 5, parentPid: 1, comm: 'gone', cgroupId: 0n, startNs: 5 }
    who.observe([gone])
    assert.equal(who.attributesOf(gone)['service.name'], 'unknown_service:gone')
    assert.equal(who.stats().sources.none, 1)
  })

  it('gives all threads of the kernel one resource', () => {
    const who = identity()
    const thread = (pid: number) => ({ pid, parentPid: 2, comm: `kworker/${pid}`, cgroupId: 1n, startNs: 5 })
    const one = who.attributesOf(thread(2 ** 22 + 7))
    assert.equal(one['service.name'], 'unknown_service:kernel')
    assert.equal(who.attributesOf(thread(2 ** 22 + 8)), one)
  })

  it('follows exec', async () => {
    const who = identity()
    const child = spawn('/bin/sh', ['-c', 'read x; exec sleep 600'], { stdio: ['pipe', 'ignore', 'ignore'] })
    const before = sampled(child.pid!)
    who.observe([before])
    assert.match(String(who.attributesOf(before)['service.name']), /sh$/)
    child.stdin!.end('go\n')
    await until('exec', () => readComm(child.pid!) === 'sleep')
    const now = sampled(child.pid!)
    who.observe([now])
    const { 'service.name': name } = who.attributesOf(now)
    child.kill('SIGKILL')
    assert.match(String(name), /(sleep|coreutils|busybox)$/)
  })

  it('stays bounded with many short processes', () => {
    const who = identity({ processContext: false })
    const many = Array.from({ length: 40_000 }, (_, i) => ({
      pid: 2 ** 22 + i,
      parentPid: 1,
      comm: 'brief',
      cgroupId: BigInt(i),
      startNs: i,
    }))
    who.observe(many)
    assert.ok(who.stats().processes <= 16_384, `${who.stats().processes}`)
  })
})

describe('containers of real cgroups', { skip: skipCgroups }, () => {
  const PODS = `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${POD.replaceAll('-', '_')}.slice`

  it('gives all processes of a container one resource', async () => {
    await withCgroup(`docker/${ID}`, async (directory, id) => {
      const children = [startIdle(), startIdle()]
      for (const { pid } of children) writeFileSync(join(directory, 'cgroup.procs'), String(pid))
      const who = identity()
      const seen = children.map(({ pid }) => sampled(pid, id))
      who.observe(seen)
      const [one, two] = seen.map((process) => who.attributesOf(process))
      await stopAll(children)
      assert.equal(one, two)
      assert.equal(one?.['container.id'], ID)
      assert.equal(one?.['container.runtime.name'], 'docker')
      assert.equal(one?.['process.pid'], undefined)
      assert.match(String(one?.['service.name']), /^unknown_service:/)
    })
  })

  it('asks one process of a cgroup alone, where the v2 hierarchy is the only one', async () => {
    await withCgroup(`docker/${ID}`, async (directory, id) => {
      const child = startIdle()
      writeFileSync(join(directory, 'cgroup.procs'), String(child.pid))
      const lookup = new ContainerLookup('', false)
      const known = new KnownProcesses()
      assert.equal(lookup.early(known.add(sampled(child.pid, id), 0))?.id, ID)
      await stopAll([child])
      const gone = known.add({ pid: 2 ** 22 + 9, parentPid: 1, comm: 'x', cgroupId: id, startNs: 5 }, 0)
      assert.equal(lookup.early(gone)?.id, ID)
      assert.equal(gone.cgroupPath.endsWith(`/docker/${ID}`), true)
      assert.deepEqual(lookup.sources, { cgroup_id: 1, proc: 1, parent: 0, none: 0 })
      const moved = known.add({ ...sampled(process.pid), cgroupId: id + 1n }, 0)
      lookup.early(moved) // what /proc says now is not what the sample was in
      assert.equal(lookup.early(moved), lookup.late(moved, null))
      lookup.close()
    })
  })

  it('knows the container of a process that was gone before it was looked at', async () => {
    await withCgroup(`${PODS}/cri-containerd-${ID}.scope`, async (_, id) => {
      const who = identity()
      const gone = { pid: 2 ** 22 + 9, parentPid: 1, comm: 'brief', cgroupId: id, startNs: 5 }
      who.observe([gone])
      await until('the walk', () => who.attributesOf(gone)['container.id'] === ID)
      assert.equal(who.attributesOf(gone)['k8s.pod.uid'], POD)
      assert.equal(who.stats().sources.cgroup_id, 1)
    })
  })

  it("takes the parent's container when the cgroup is gone as well", async () => {
    await withCgroup(`docker/${ID}`, async (directory, id) => {
      const parent = startIdle()
      writeFileSync(join(directory, 'cgroup.procs'), String(parent.pid))
      const who = identity()
      const gone = { pid: 2 ** 22 + 9, parentPid: parent.pid, comm: 'x', cgroupId: 1n << 50n, startNs: 5 }
      who.observe([sampled(parent.pid, id), gone])
      await until(
        'the walk',
        () => who.attributesOf(gone)['container.id'] === ID && who.stats().sources.parent === 1,
      )
      await stopAll([parent])
    })
  })

  it('adds what the API server knows of the pod, once it does', {
    skip: findTool('openssl') === '' && 'needs openssl',
  }, async () => {
    const pod = podObject('web-1', { containerId: ID, owner: ['StatefulSet', 'web'] })
    const api = await startKubeApi([podList('1', [])], [podEvents([['ADDED', pod]])])
    const { port, accountDirectory } = api
    const kubernetes = { nodeName: 'node-1', host: '127.0.0.1', port, accountDirectory }
    await withCgroup(`${PODS}/cri-containerd-${ID}.scope`, async (directory, id) => {
      const child = startIdle()
      writeFileSync(join(directory, 'cgroup.procs'), String(child.pid))
      const who = identity({
        kubernetes: { ...kubernetes, labels: [], annotations: [], serviceFromLabels: false },
      })
      const process = sampled(child.pid, id)
      who.observe([process])
      const before = who.attributesOf(process)
      assert.equal(before['k8s.node.name'], 'node-1')
      await until('the pod', () => who.attributesOf(process)['k8s.pod.name'] === 'web-1')
      const after = who.attributesOf(process)
      await stopAll([child])
      assert.equal(after['service.name'], 'web')
      assert.equal(after['container.id'], ID)
      assert.equal(after['k8s.container.name'], 'app')
      assert.equal(who.stats().pods, 1)
      who.close()
    })
    await api.close()
  })
})

async function stopAll(children: readonly (ChildProcess & { pid: number })[]): Promise<void> {
  for (const child of children) child.kill('SIGKILL')
  for (const child of children)
    await until('its end', () => child.exitCode !== null || child.signalCode !== null)
}

/** The program beside this test, which publishes what it is told to. */
class Publisher {
  readonly pid: number
  private readonly child: ChildProcess
  private readonly answers: AsyncIterator<string>

  constructor(program: string, kind: string) {
    this.child = spawn(program, [kind], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.pid = this.child.pid!
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  async answer(): Promise<string> {
    return (await this.answers.next()).value ?? 'ended'
  }

  tell(command: string): Promise<string> {
    this.child.stdin!.write(`${command}\n`)
    return this.answer()
  }

  stop(): void {
    this.child.kill('SIGKILL')
  }
}

describe('process contexts of real processes', { skip: skipUnless('cc') }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'context-'))
  const program = join(directory, 'publisher')
  before(() => {
    const source = join(packageRoot(), 'test/integration/process-context.c')
    execFileSync('cc', ['-O1', '-pthread', '-o', program, source])
  })
  after(() => rmSync(directory, { recursive: true, force: true }))
  const SHOP = contextOf(attribute('service.name', textValue('shop'))).toString('hex')

  async function withPublisher(
    kind: string,
    use: (publisher: Publisher) => Promise<void>,
    skip: (reason: string) => void = assert.fail,
  ): Promise<void> {
    const publisher = new Publisher(program, kind)
    try {
      if ((await publisher.answer()) !== 'ready') skip(`this kernel gives no ${kind} mapping of that name`)
      else await use(publisher)
    } finally {
      publisher.stop()
    }
  }
  const readOf = (pid: number, reader = new ContextReader()) => {
    const address = findContext(pid)
    return typeof address === 'bigint' ? reader.readAt(pid, address, null) : address
  }

  for (const kind of ['memfd', 'anon'])
    it(`C-03: reads what is published in a mapping of kind ${kind}, and its updates`, async (context) => {
      await withPublisher(
        kind,
        async (publisher) => {
          await publisher.tell(`publish ${SHOP}`)
          const first = await readOf(publisher.pid)
          assert.ok(first !== null && typeof first === 'object')
          assert.deepEqual(first.attributes, { 'service.name': 'shop' })
          const reader = new ContextReader()
          assert.equal(await reader.readAt(publisher.pid, first.address, first), first)
          const store = contextOf(attribute('service.name', textValue('store'))).toString('hex')
          await publisher.tell(`publish ${store}`)
          const second = await reader.readAt(publisher.pid, first.address, first)
          assert.ok(second !== null && typeof second === 'object')
          assert.deepEqual(second.attributes, { 'service.name': 'store' })
        },
        (reason) => context.skip(reason),
      )
    })

  it('C-04: an executable mapping is no context', async () => {
    await withPublisher('exec', async (publisher) => {
      await publisher.tell(`publish ${SHOP}`)
      assert.equal(findContext(publisher.pid), null)
    })
  })

  const nested = contextOf(attribute('deep', field(5, field(1, field(5, field(1, textValue('x')))))))
  for (const [what, commands, outcome] of [
    ['time 0', ['time 0'], 'updating'],
    ['another version', ['version 1'], 'version'],
    ['another signature', ['signature'], 'header'],
    ['size 0', ['size 0'], 'size'],
    ['a size above the limit', ['size 65537'], 'size'],
    ['the largest size there is', ['size 0xffffffff'], 'size'],
    ['a size beyond its mapping', ['size 65536', 'pointer 0x7ffffffff000'], 'unreadable'],
    ['a null pointer', ['pointer 0'], 'unreadable'],
    ["a pointer into the kernel's half", ['pointer 0xffffffff81000000'], 'unreadable'],
    ['a pointer that is no address', ['pointer 0xffffffffffffffff'], 'unreadable'],
    ['a message that is cut off', [`publish ${SHOP.slice(0, -2)}`], 'malformed'],
    ['bytes that are no message', ['publish ffffffffffffffffffffffffffff'], 'malformed'],
  ] as const)
    it(`C-05: ${what} is refused as ${outcome}`, async () => {
      await withPublisher('memfd', async (publisher) => {
        await publisher.tell(`publish ${SHOP}`)
        for (const command of commands) assert.equal(await publisher.tell(command), 'ok')
        assert.equal(await readOf(publisher.pid), outcome)
      })
    })

  it('C-02: while the time does not stand still, what is read is whole or refused', async () => {
    await withPublisher('memfd', async (publisher) => {
      await publisher.tell(`publish ${SHOP}`)
      await publisher.tell('race')
      for (let i = 0; i < 50; i++) {
        const outcome = await readOf(publisher.pid)
        if (outcome === 'updating') continue
        assert.ok(outcome !== null && typeof outcome === 'object', String(outcome)) // its thread was not running
        assert.deepEqual(outcome.attributes, { 'service.name': 'shop' })
      }
    })
  })

  it('C-05: nested lists and the largest payload are read', async () => {
    await withPublisher('memfd', async (publisher) => {
      const withFiller = (length: number) =>
        Buffer.concat([nested, contextOf(attribute('filler', textValue('x'.repeat(length))))])
      const large = withFiller(65_536 - (withFiller(65_000).length - 65_000))
      assert.equal(large.length, 65_536)
      await publisher.tell(`publish ${large.toString('hex')}`)
      const outcome = await readOf(publisher.pid)
      assert.ok(outcome !== null && typeof outcome === 'object', String(outcome))
      assert.equal(outcome.refused, 2)
    })
  })

  it('C-05: a page that would block its reader is not touched', async (context) => {
    await withPublisher('memfd', async (publisher) => {
      await publisher.tell(`publish ${SHOP}`)
      if ((await publisher.tell('absent')) !== 'ok') return context.skip('this kernel has no userfaultfd')
      const reader = new ContextReader()
      assert.equal(await readOf(publisher.pid, reader), 'unreadable')
      assert.equal(reader.stalled, false)
    })
  })

  it('C-05: a page that is there when looked for and gone when read holds up no one but itself', async (context) => {
    await withPublisher('memfd', async (publisher) => {
      await publisher.tell(`publish ${SHOP}`)
      if ((await publisher.tell('flicker')) !== 'ok') return context.skip('this kernel has no userfaultfd')
      const reader = new ContextReader()
      const address = findContext(publisher.pid)
      assert.equal(typeof address, 'bigint')
      const outcomes = new Set<string>()
      // Each read ends, by itself or as stalled after two seconds; the event loop would not get here otherwise.
      const deadline = Date.now() + 2_500
      while (Date.now() < deadline && !reader.stalled) {
        const outcome = await reader.readAt(publisher.pid, address as bigint, null)
        outcomes.add(typeof outcome === 'string' ? outcome : 'read')
        if (outcome === 'unreadable') await new Promise(setImmediate)
      }
      for (const outcome of outcomes)
        assert.ok(['read', 'unreadable', 'stalled', 'malformed'].includes(outcome), outcome)
      context.diagnostic([...outcomes].join(', '))
      if (reader.stalled) assert.equal(await reader.readAt(publisher.pid, address as bigint, null), 'stalled')
      publisher.stop()
      await until('the stuck read', () => !reader.stalled)
    })
  })

  it('what a process says of its service wins over guesses, a default of its SDK does not', async () => {
    await withPublisher('memfd', async (publisher) => {
      const who = identity()
      const process = sampled(publisher.pid)
      await publisher.tell(`publish ${SHOP}`)
      who.observe([process])
      assert.equal(who.attributesOf(process)['service.name'], 'unknown_service:publisher')
      await until('the context', () => who.attributesOf(process)['service.name'] === 'shop')
      assert.equal(who.attributesOf(process)['process.pid'], publisher.pid)
    })
    await withPublisher('memfd', async (publisher) => {
      const who = identity()
      const process = sampled(publisher.pid)
      const name = attribute('service.name', textValue('unknown_service:java'))
      const version = attribute('service.version', textValue('1'))
      await publisher.tell(`publish ${contextOf(name, version).toString('hex')}`)
      who.observe([process])
      await until('the context', () => who.attributesOf(process)['service.version'] === '1')
      assert.equal(who.attributesOf(process)['service.name'], 'unknown_service:publisher')
    })
  })
})
