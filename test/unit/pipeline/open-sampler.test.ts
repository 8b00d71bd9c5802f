import assert from 'node:assert/strict'
import { it } from 'node:test'
import { filterText, worded } from '../../../src/pipeline/open-sampler.ts'

function failing(message: string, code?: string) {
  return () => {
    throw Object.assign(new Error(message), code === undefined ? {} : { code })
  }
}

it('gives what a step gives', () => {
  assert.equal(
    worded(() => 7),
    7,
  )
})

it('keeps the code of a native fault and adds the remedy', () => {
  assert.throws(() => worded(failing('cannot open x: Operation not permitted', 'not_permitted')), {
    name: 'AgentError',
    code: 'not_permitted',
    message: /^cannot open x: Operation not permitted; run as root, or grant CAP_BPF/,
  })
})

it('says which limit to raise when descriptors run out, whatever step it was', () => {
  for (const code of ['internal', 'unsupported', undefined]) {
    assert.throws(
      () => worded(failing('cannot attach the sampler to its timer: Too many open files', code)),
      {
        code: 'unsupported',
        message: 'cannot sample: the limit of open files is too low; raise it: ulimit -n 1024',
      },
    )
  }
})

it('calls the unexpected a fault of ours', () => {
  assert.throws(() => worded(failing('odd')), { code: 'internal', message: 'odd' })
})

it('says what a filter lets pass', () => {
  assert.equal(filterText({ comm: '', cgroupPath: '' }), '')
  assert.equal(filterText({ comm: 'nginx', cgroupPath: '' }), ' named "nginx"')
  assert.equal(filterText({ comm: 'nginx', cgroupPath: '/c' }), ' named "nginx" in cgroup /c')
})
