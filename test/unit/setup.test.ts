/** The set-up's verdicts and sums (bin/setup): plain functions whose answers do not depend on this machine. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { test } from 'node:test'

// The set-up is plain JavaScript, because it runs before there is a compiler; hence no types here.
const load = (name: string) => import(resolve('bin/setup', name))
const { checkKernel, checkNode, mayProfile, nodeHeaders, SetupFault } = await load('host.mjs')
const { downloadBytes, installPackages, missingPackages } = await load('packages.mjs')
const { countTests } = await load('rings.mjs')

const GOOD_HOST = { kernel: '6.1.0-44-amd64', hasBtf: true, lockdown: '', isRoot: true, permitted: true }

test('takes Node from 20.19 and refuses older ones with the remedy', () => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '100.1.0']) {
    checkNode({ version, platform: 'linux', arch: 'x64' })
  }
  for (const version of ['18.20.4', '20.18.3', '8.0.0']) {
    assert.throws(
      () => checkNode({ version, platform: 'linux', arch: 'x64' }),
      /needs Node 20\.19 .*install Node 20/,
    )
  }
  assert.throws(
    () => checkNode({ platform: 'darwin', arch: 'arm64' }),
    /linux-x64 only, this is darwin-arm64/,
  )
})

test('a host that can profile passes', () => {
  checkKernel(GOOD_HOST)
  checkKernel({ ...GOOD_HOST, isRoot: false, kernel: '5.10.0', lockdown: 'none [integrity] confidentiality' })
})

test('each thing a host can lack is one line with its remedy', () => {
  const cases: [object, RegExp][] = [
    [{ kernel: '5.9.16-amd64' }, /needs Linux 5\.10 .*boot a newer kernel/],
    [{ kernel: '4.19' }, /needs Linux 5\.10/],
    [{ hasBtf: false }, /no BTF.*CONFIG_DEBUG_INFO_BTF/],
    [{ lockdown: 'none integrity [confidentiality]' }, /lockdown.*boot with lockdown=integrity/],
    [{ permitted: false }, /container.*--privileged/],
    [{ permitted: false, isRoot: false }, /not root: run `sudo npm start`/],
  ]
  for (const [change, message] of cases) {
    assert.throws(
      () => checkKernel({ ...GOOD_HOST, ...change }),
      (error: Error) =>
        error instanceof SetupFault && message.test(error.message) && !error.message.includes('\n'),
    )
  }
})

test('CAP_SYS_ADMIN, or CAP_PERFMON and CAP_BPF together, may profile', () => {
  const status = (bits: bigint) => `Name:\tnode\nCapEff:\t${bits.toString(16).padStart(16, '0')}\n`
  assert.equal(mayProfile(status(1n << 21n)), true)
  assert.equal(mayProfile(status((1n << 38n) | (1n << 39n))), true)
  assert.equal(mayProfile(status(1n << 38n)), false)
  assert.equal(mayProfile(status(1n << 39n)), false)
  assert.equal(mayProfile(''), false)
})

test('headers that are not beside the running Node are asked for, never downloaded', () => {
  assert.throws(
    () => nodeHeaders('/nonexistent/bin/node'),
    /\/nonexistent\/include\/node\/node_api\.h.*libnode-dev/,
  )
})

test('a package is missing when the file we use of it is', () => {
  assert.deepEqual(
    missingPackages(['build', 'test'], (path: string) => !path.includes('bpf')),
    ['bpftool', 'libbpf-dev'],
  )
  assert.deepEqual(
    missingPackages(['test'], () => false),
    ['clang-format-19', 'clang-tidy-19', 'xz-utils'],
  )
})

test('where packages cannot be installed, the fault names the command', () => {
  const command = /apt-get install --no-install-recommends make g\+\+`/
  assert.throws(() => installPackages(['make', 'g++'], { isRoot: false, hasApt: true }), command)
  assert.throws(() => installPackages(['make', 'g++'], { isRoot: true, hasApt: false }), command)
  assert.equal(installPackages([], { isRoot: false, hasApt: false }), 0)
})

test('the download is the sum of what apt would fetch', () => {
  const uris =
    "'http://host/a_1_amd64.deb' a_1_amd64.deb 1200 SHA256:00\n'http://host/b.deb' b.deb 34 SHA256:11\n"
  assert.equal(downloadBytes(uris), 1234)
  assert.equal(downloadBytes(''), 0)
})

test('counts what the reporters say, cancelled as failed and todo as skipped', () => {
  const spec = 'ℹ tests 9\nℹ pass 4\nℹ fail 1\nℹ cancelled 2\nℹ skipped 1\nℹ todo 1\n'
  assert.deepEqual(countTests(spec), { passed: 4, failed: 3, skipped: 2 })
  assert.deepEqual(countTests(`${spec}# pass 10\n# fail 0\n`), { passed: 14, failed: 3, skipped: 2 })
  assert.deepEqual(countTests('nothing was run'), { passed: 0, failed: 0, skipped: 0 })
})
