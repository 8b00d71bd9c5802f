import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadAddon, packageRoot } from '../../src/native/addon.ts'
import type { SamplerOptions } from '../../src/native/sampler.ts'
import { needsRoot, needsSetpriv, OPTIONS } from './sampler-options.ts'

const { Sampler } = loadAddon()

/** Opens a sampler with wrong values; they are refused before anything of the kernel is touched. */
function open(wrong: Record<string, unknown>): unknown {
  return new Sampler({ ...OPTIONS, ...wrong } as unknown as SamplerOptions)
}

/** What of a rule is changed, and what the error then is. */
type Wrong = [change: Record<string, unknown>, name: 'TypeError' | 'RangeError', text: string]

describe('options of the sampler', () => {
  it('must be an object', () => {
    for (const options of [undefined, null, 1, 'options'])
      assert.throws(() => new Sampler(options as unknown as SamplerOptions), TypeError, String(options))
  })

  it('need new', () => {
    assert.throws(() => (Sampler as unknown as (options: SamplerOptions) => void)(OPTIONS), TypeError)
  })

  const outOfRange: Record<string, unknown[]> = {
    rateHz: [0, -1, 1000, 99.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 99],
    dither: [0, 65, 1.5, -4],
    ringBytes: [0, 1, 2048, 4095, 4097, 3 << 20, 2 ** 32, -4096, Number.NaN],
    cgroupFds: [[-1], [2 ** 31], [0.5], new Array(65).fill(3)],
    comms: [new Array(257).fill('x')],
    pidNamespaces: [[0], [-1], [2 ** 32], [1.5], new Array(65).fill(1)],
    pidNamespaceInode: [-1, 2 ** 32],
    event: ['', 'cycle', 'auto '],
    unwinder: ['', 'tail', 'loop '],
    rawRingBytes: [0, 4097, 2 ** 32],
    rawStacksPerSecond: [-1, 0.5, 1e6 + 1],
    kernelBudgetBytes: [0, 2 ** 20 - 1, 2 ** 32],
    userBudgetBytes: [0, 2 ** 20 - 1, 2 ** 32],
  }
  for (const [name, values] of Object.entries(outOfRange))
    it(`refuses ${name} out of range by its name`, () => {
      for (const value of values)
        assert.throws(() => open({ [name]: value }), { name: 'RangeError', message: new RegExp(name) })
    })

  it('refuses values of another type by their name', () => {
    for (const name of Object.keys(OPTIONS))
      for (const value of [undefined, null, Symbol('x'), {}, 1n])
        assert.throws(() => open({ [name]: value }), { name: 'TypeError', message: new RegExp(name) })
    for (const wrong of [{ comms: [1] }, { cgroupFds: ['3'] }, { pidNamespaces: [null] }])
      assert.throws(() => open(wrong), { name: 'TypeError', message: new RegExp(Object.keys(wrong)[0]!) })
  })

  it('refuses a rule about a rate by its place and the key that is wrong', () => {
    const good = { by: 'comm', cgroupFd: -1, pidNamespace: 0, comm: 'x', pids: [], share: 0.5 }
    const wrong: Wrong[] = [
      [{ by: 1 }, 'TypeError', 'by to be a string'],
      [{ by: undefined }, 'TypeError', 'by to be a string'],
      ...['', 'uid', 'Comm', 'pid '].map(
        (by): Wrong => [{ by }, 'RangeError', "by to be 'cgroup', 'pidNamespace', 'comm' or 'pid'"],
      ),
      [{ comm: 7 }, 'TypeError', 'comm to be a string'],
      [{ by: 'cgroup' }, 'RangeError', 'cgroupFd to be an integer from 0 to 2147483647'],
      [{ by: 'cgroup', cgroupFd: '3' }, 'TypeError', 'cgroupFd to be a number'],
      [{ by: 'cgroup', cgroupFd: 2 ** 53 }, 'RangeError', 'cgroupFd to be an integer'],
      [{ by: 'pidNamespace' }, 'RangeError', 'pidNamespace to be an integer from 1 to 4294967295'],
      [{ by: 'pidNamespace', pidNamespace: 2 ** 32 }, 'RangeError', 'pidNamespace to be an integer'],
      [{ by: 'pid', pids: [0] }, 'RangeError', 'pids to be an integer from 1 to 2147483647'],
      [{ by: 'pid', pids: [1.5] }, 'RangeError', 'pids to be an integer'],
      [{ by: 'pid', pids: ['1'] }, 'TypeError', 'pids to be a number'],
      [{ by: 'pid', pids: 1 }, 'TypeError', 'pids to be an array'],
      [{ by: 'pid', pids: new Array(65_537).fill(1) }, 'RangeError', 'pids to be an array of at most 65536'],
      ...[-1, 1.01, 1 / 1025, 1e308, Number.NaN, Number.POSITIVE_INFINITY].map(
        (share): Wrong => [{ share }, 'RangeError', 'share to be 0 or a number from 1/1024 to 1'],
      ),
      [{ share: '1' }, 'TypeError', 'share to be a number'],
      [{ share: 1n }, 'TypeError', 'share to be a number'],
    ]
    for (const [change, name, text] of wrong)
      assert.throws(
        () => open({ rateRules: [good, { ...good, ...change }] }),
        (error: Error) => error.name === name && error.message.startsWith(`Expected rateRules[1].${text}`),
        JSON.stringify(Object.keys(change)) + text,
      )
  })

  it('refuses rules that are no objects, and more than 16 of them', () => {
    for (const rule of [undefined, null, 1, 'comm'])
      assert.throws(() => open({ rateRules: [rule] }), { name: 'TypeError', message: /rateRules/ })
    assert.throws(() => open({ rateRules: new Array(17).fill({}) }), {
      name: 'RangeError',
      message: 'Expected rateRules to be an array of at most 16',
    })
    for (const baseShare of [-0.1, 1.1, 1 / 1025, Number.NaN])
      assert.throws(() => open({ baseShare }), {
        name: 'RangeError',
        message: /^Expected baseShare to be 0 or/,
      })
  })

  it('passes on what a getter throws', () => {
    const options = Object.defineProperty({ ...OPTIONS }, 'event', {
      get: () => {
        throw new SyntaxError('mine')
      },
    })
    assert.throws(() => new Sampler(options), { name: 'SyntaxError', message: 'mine' })
  })
})

describe('what the kernel refuses', () => {
  it('is a fault of code usage for a rule about a descriptor that is no cgroup', { skip: needsRoot }, () => {
    const rule = { by: 'cgroup', cgroupFd: openSync('/proc/self/status', 'r'), share: 0.5 }
    assert.throws(() => open({ rateRules: [rule] }), {
      code: 'usage',
      message: /^cannot give this cgroup a rate \(not a cgroup v2 directory\?\): Bad file descriptor$/,
    })
  })

  it('is a fault of code usage for a descriptor that is no cgroup', { skip: needsRoot }, () => {
    assert.throws(() => open({ cgroupFds: [openSync('/proc/self/status', 'r')] }), { code: 'usage' })
    assert.throws(() => open({ cgroupFds: [9999] }), { code: 'usage' })
  })

  it('names the object and the reason without privileges', { skip: needsSetpriv }, (t) => {
    const program = `const { Sampler } = require(${JSON.stringify(join(packageRoot(), 'build/Release/addon.node'))})
      try { new Sampler(${JSON.stringify(OPTIONS)}); console.log('opened') }
      catch (error) { console.log(JSON.stringify({ code: error.code, message: error.message })) }`
    const drop = [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      '--inh-caps=-all',
      '--bounding-set=-all',
    ]
    const { stdout, stderr } = spawnSync('setpriv', [...drop, process.execPath, '-e', program])
    if (stderr.includes('MODULE_NOT_FOUND')) return t.skip('the checkout is closed to other users')
    assert.equal(stderr.toString(), '')
    const { code, message } = JSON.parse(stdout.toString()) as { code: string; message: string }
    assert.equal(code, 'not_permitted')
    assert.match(
      message,
      /^cannot (open perf event [\w-]+ on cpu 0|load the BPF programs).*: (Permission denied|Operation not permitted)$/,
    )
  })
})
