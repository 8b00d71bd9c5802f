import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseOsRelease, parseResourceAttributes, readHost } from '../../../src/identity/host.ts'
import { findHostRoot, readTextFile } from '../../../src/identity/host-files.ts'

const root = mkdtempSync(join(tmpdir(), 'host-'))
after(() => rmSync(root, { recursive: true, force: true }))
const write = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}

test("a host's own files name it, not the container's", () => {
  write('etc/hostname', 'node-7\n')
  write('etc/machine-id', `${'ab'.repeat(16)}\n`)
  write('etc/os-release', 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n')
  const host = readHost(root)
  assert.equal(host['host.name'], 'node-7')
  assert.equal(host['host.id'], 'ab'.repeat(16))
  assert.equal(host['os.type'], 'linux')
  assert.equal(host['os.name'], 'Debian GNU/Linux')
  assert.equal(host['os.version'], '12')
  assert.match(String(host['os.description']), /^Debian GNU\/Linux 12 \(Linux \S+\)$/)
})

test('what a host does not say is absent, and never another text', () => {
  const empty = join(root, 'empty')
  mkdirSync(join(empty, 'etc/hostname'), { recursive: true }) // a directory where a file should be
  assert.deepEqual(Object.keys(readHost(empty)).sort(), [
    'host.arch',
    'host.name',
    'os.description',
    'os.type',
  ])
  write('etc/machine-id', 'uninitialized\n')
  write('var/lib/dbus/machine-id', `${'cd'.repeat(16)}\n`)
  assert.equal(readHost(root)['host.id'], 'cd'.repeat(16))
  assert.equal(readHost('')['host.name'], hostname())
})

test('os-release: quotes, escapes, comments and odd lines', () => {
  const text = `# comment\nNAME='A "B"'\nPRETTY_NAME="x \\"y\\" \\$z"\nID=alpine\nbad line\nlower=1\n__proto__=1\nVERSION_ID=`
  assert.deepEqual(
    { ...parseOsRelease(text) },
    { NAME: 'A "B"', PRETTY_NAME: 'x "y" $z', ID: 'alpine', VERSION_ID: '' },
  )
})

test('OTEL_RESOURCE_ATTRIBUTES: percent-encoded values, the last of a key wins', () => {
  const text = ' deployment.environment.name = prod%2C%20eu ,k8s.cluster.name=c1,k8s.cluster.name=c2,'
  assert.deepEqual(parseResourceAttributes(text), {
    'deployment.environment.name': 'prod, eu',
    'k8s.cluster.name': 'c2',
  })
  assert.deepEqual(parseResourceAttributes(undefined), {})
})

test("OTEL_RESOURCE_ATTRIBUTES: what names the agent is not its targets'", () => {
  const text = 'service.name=emberscope,process.pid=1,telemetry.sdk.name=x,container.id=y,cloud.region=r'
  assert.deepEqual(parseResourceAttributes(text), { 'cloud.region': 'r' })
})

test('OTEL_RESOURCE_ATTRIBUTES: one malformed part discards the whole', () => {
  for (const text of ['a=1,b', '=1', 'a=%zz', 'a=%ff', 'a=1,='])
    assert.equal(parseResourceAttributes(text), null)
})

test('a file is read up to its bound, whatever it is', () => {
  assert.equal(readTextFile('/dev/zero')?.length, 65_536)
  assert.equal(readTextFile('/nonexistent'), null)
  assert.equal(readTextFile('/proc'), null)
})

test('outside containers the root of the host is our own', () => {
  assert.ok(['', '/proc/1/root'].includes(findHostRoot()))
})
