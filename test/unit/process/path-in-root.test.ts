import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathInRoot } from '../../../src/process/path-in-root.ts'
import { temporaryDirectory } from './temporary.ts'

const root = temporaryDirectory()
chmodSync(root, 0o755)
mkdirSync(join(root, 'app/private'), { recursive: true })
for (const name of ['app/main.c', 'app/secret.c', 'app/private/open.c', 'passwd']) {
  writeFileSync(join(root, name), name)
  chmodSync(join(root, name), 0o644)
}
chmodSync(join(root, 'app/secret.c'), 0o600)
chmodSync(join(root, 'app/private'), 0o700)
const LINKS = {
  absolute: '/app/main.c',
  relative: 'app/./../app/main.c',
  above: '../../../../../passwd',
  toDirectory: '/app',
  broken: 'nowhere',
  loop: 'loop',
}
for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, join(root, name))

const NOBODY = 65534
const found = (path: string, uid = NOBODY) => pathInRoot(root, path, uid)
const at = (path: string) => ({ path: join(root, path) })

describe('a path in another root', () => {
  it('leads where the process would come by it', () => {
    assert.deepEqual(found('/app/main.c'), at('app/main.c'))
    assert.deepEqual(
      found('//app//./x/../main.c'),
      'not_found',
      'a directory that is not there is not passed',
    )
    assert.deepEqual(found('/app/../app/main.c'), at('app/main.c'))
  })
  it('follows links below that root, never out of it', () => {
    assert.deepEqual(found('/absolute'), at('app/main.c'))
    assert.deepEqual(found('/relative'), at('app/main.c'))
    assert.deepEqual(found('/toDirectory/main.c'), at('app/main.c'))
    assert.deepEqual(found('/above'), at('passwd'))
    assert.deepEqual(found('/../../../../passwd'), at('passwd'))
  })
  it('ends at links that lead nowhere or in a circle', () => {
    assert.equal(found('/broken'), 'not_found')
    assert.equal(found('/loop'), 'not_found')
    assert.equal(found('/app/main.c/below'), 'not_found')
  })
})

describe('the rights of a user', () => {
  it('are those of all others, with every directory on the way', () => {
    assert.equal(found('/app/secret.c'), 'not_permitted')
    assert.equal(found('/app/private/open.c'), 'not_permitted')
    assert.equal(found('/app/secret.c', -1), 'not_permitted')
    assert.deepEqual(found('/app/main.c', -1), at('app/main.c'))
  })
  it('are those of root where it is root', () => {
    assert.deepEqual(found('/app/secret.c', 0), at('app/secret.c'))
  })
  it('are those of the owner', { skip: process.getuid?.() === 0 ? false : 'needs root: chown' }, () => {
    chownSync(join(root, 'app/secret.c'), NOBODY, 0)
    assert.deepEqual(found('/app/secret.c'), at('app/secret.c'))
  })
})
