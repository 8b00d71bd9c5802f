/** What the kernel ring decides before a machine boots: which packages, from where, and the archive it starts with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initramfs } from '../kernels/initramfs.ts'
import { debianSource, newestKernel } from '../kernels/packages.ts'

test('takes the newest plain kernel, compared as numbers', () => {
  const names = [
    'linux-image-6.12.9+deb12-amd64',
    'linux-image-6.12.95+deb12-amd64',
    'linux-image-6.12.95+deb12-cloud-amd64',
    'linux-image-6.12.96+deb12-rt-amd64',
    'linux-image-6.12.96+deb12-amd64-unsigned',
    'linux-image-6.12.96+deb12-amd64-dbg',
    'linux-image-6.12.90+deb12.1-amd64',
  ]
  assert.equal(newestKernel(names), 'linux-image-6.12.95+deb12-amd64')
  assert.equal(
    newestKernel(['linux-image-5.10.0-9-amd64', 'linux-image-5.10.0-32-amd64', '']),
    'linux-image-5.10.0-32-amd64',
  )
  assert.equal(newestKernel(['linux-image-6.1.0-50-cloud-amd64']), undefined)
})

test("reads the mirror from both formats of apt's sources, never the security archive", () => {
  const paragraphs =
    'Types: deb\nURIs: http://a/security\nSuites: bookworm-security\nComponents: main\n\n' +
    '# a comment\nTypes: deb\nURIs: http://b/debian http://c/debian\nSuites: bookworm bookworm-updates\n' +
    'Components: main\nSigned-By: /k.gpg\n'
  assert.deepEqual(debianSource(paragraphs), { uri: 'http://b/debian', keyring: '/k.gpg' })
  const lines =
    'deb http://a/security bookworm-security main\n# deb http://x bookworm main\n' +
    'deb [arch=amd64 signed-by=/k.gpg] http://d/debian bookworm main contrib\n'
  assert.deepEqual(debianSource(lines), { uri: 'http://d/debian', keyring: '/k.gpg' })
  assert.deepEqual(debianSource('deb http://d/debian stable main'), { uri: 'http://d/debian', keyring: '' })
  assert.equal(debianSource('deb http://d/ubuntu jammy main\n\nURIs: http://e\nSuites: jammy\n'), undefined)
  assert.equal(debianSource(''), undefined)
})

test('the archive lists directories before their files, padded to words, and ends with a trailer', () => {
  const archive = initramfs(
    new Map([
      ['/a/b/c', Buffer.from('12345')],
      ['/init', Buffer.from('')],
    ]),
  )
  const names: string[] = []
  for (let at = 0; at < archive.length; ) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701')
    assert.equal(at % 4, 0)
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16)
    const [size, nameSize] = [field(6), field(11)]
    const data = (at + 110 + nameSize + 3) & ~3
    names.push(
      `${archive.toString('latin1', at + 110, at + 109 + nameSize)}=${archive.toString('latin1', data, data + size)}`,
    )
    at = (data + size + 3) & ~3
  }
  assert.deepEqual(names, ['a=', 'a/b=', 'a/b/c=12345', 'init=', 'TRAILER!!!='])
})
