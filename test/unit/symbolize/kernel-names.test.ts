import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { KernelNames } from '../../../src/symbolize/kernel-names.ts'
import { fakeReaders, kernelFunctions } from './fakes.ts'

/** Of the kernel half: negative. */
const at = (offset: number) => -0x70000000 + offset

let nowMs: number
let reads: number
let modules: string
let kernel: Map<number, readonly [string, string]>
let names: KernelNames
beforeEach(() => {
  nowMs = 0
  reads = 0
  modules = 'ext4 1'
  kernel = new Map([
    [at(0x100), ['schedule', '']],
    [at(0x200), ['ext4_read', 'ext4']],
  ])
  names = new KernelNames(fakeReaders({}), {
    list: () => {
      reads++
      return Promise.resolve(kernelFunctions({ kernel }))
    },
    modules: () => modules,
    nowMs: () => nowMs,
  })
})

async function rows(...addresses: number[]) {
  const answer = await names.resolve('/list', Float64Array.from(addresses))
  return Array.from(answer.name, (name, i) => {
    const module = answer.modules[answer.module[i]!] ?? ''
    return name < 0 ? '' : `${answer.names[name]} ${module}`.trim()
  })
}

describe('the kernel in memory', () => {
  it('names addresses up to the next function, and nothing before the first or far behind the last', async () => {
    assert.deepEqual(
      await rows(at(0xff), at(0x100), at(0x1ff), at(0x200), at(0x200 + 2 ** 22 - 1), at(0x200 + 2 ** 22)),
      ['', 'schedule', 'schedule', 'ext4_read ext4', 'ext4_read ext4', ''],
    )
  })

  it('is read once, however often it is asked', async () => {
    for (let i = 0; i < 10; i++) assert.deepEqual(await rows(at(0x150)), ['schedule'])
    assert.equal(reads, 1)
  })

  it('is read again when a module was loaded', async () => {
    await rows(at(0x150))
    kernel.set(at(0x300), ['nf_hook', 'nf_tables'])
    modules = 'ext4 1\nnf_tables 2'
    assert.deepEqual(await rows(at(0x300)), ['nf_hook nf_tables'])
    assert.equal(reads, 2)
  })

  it('is read again for an unknown address, ever more rarely', async () => {
    const unknown = at(0)
    for (let minute = 0; minute < 120; minute++) {
      assert.deepEqual(await rows(unknown), [''])
      nowMs += 60_000
    }
    assert.ok(reads >= 6 && reads <= 10, `${reads} reads in two hours`)
    kernel.set(at(0), ['bpf_prog_1', 'bpf'])
    nowMs += 3_600_000
    assert.deepEqual(await rows(unknown), ['bpf_prog_1 bpf'])
  })

  it('says why it has no names', async () => {
    const hidden = new KernelNames(fakeReaders({ kernelHidden: true, kernelFailure: 'no' }), {
      modules: () => '',
    })
    const answer = await hidden.resolve('/list', Float64Array.of(at(0x100)))
    assert.deepEqual([answer.hidden, answer.failure, answer.name[0]], [true, 'no', -1])
  })
})
