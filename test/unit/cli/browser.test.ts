import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseBrowser, type Desktop, desktopOf, shellQuoted, sshLines } from '../../../src/cli/browser.ts'
import { presentPage } from '../../../src/cli/present-page.ts'
import { FakeWorld, type FakeWorldOptions, fakeProcess } from '../../helpers/fake-world.ts'

const ANN = { uid: 1000, gid: 1000, name: 'ann', home: '/home/ann' }
const DESKTOP: Desktop = { isTTY: true, overSsh: false, uid: 1000, user: null, env: { DISPLAY: ':0' } }
const SUDO = { SUDO_UID: '54321', SUDO_GID: '54321', SUDO_USER: 'ann', DISPLAY: ':0', USER: 'root' }
const PAGE = [{ path: 'p.html', format: 'html', bytes: 1 }]

function worldOf(options: Partial<FakeWorldOptions>): FakeWorld {
  return new FakeWorld({ cwd: '/home/ann', tty: true, uid: 1000, ...options })
}
function present(world: FakeWorld, wanted = true, files = PAGE) {
  return presentPage(files, wanted, desktopOf(world), world)
}

describe('chooseBrowser', () => {
  it('opens on a terminal with X or Wayland', () => {
    assert.equal(chooseBrowser(DESKTOP), 'open')
    assert.equal(chooseBrowser({ ...DESKTOP, env: { WAYLAND_DISPLAY: 'wayland-0' } }), 'open')
    assert.equal(chooseBrowser({ ...DESKTOP, uid: 0, user: ANN }), 'open')
  })
  it('opens nowhere else', () => {
    assert.equal(chooseBrowser({ ...DESKTOP, isTTY: false }), 'not a terminal')
    assert.equal(chooseBrowser({ ...DESKTOP, overSsh: true }), 'ssh')
    assert.equal(chooseBrowser({ ...DESKTOP, env: { DISPLAY: ':0', CI: 'true' } }), 'ci')
    assert.equal(chooseBrowser({ ...DESKTOP, uid: 0 }), 'root')
    assert.equal(chooseBrowser({ ...DESKTOP, env: {} }), 'no display')
    assert.equal(chooseBrowser({ ...DESKTOP, env: { DISPLAY: '' } }), 'no display')
  })
})

describe('presentPage', () => {
  it('opens the page by its full path', async () => {
    const world = worldOf({ env: { DISPLAY: ':0' } })
    assert.deepEqual(await present(world), { opened: 'opened in your browser', afterFiles: [] })
    assert.deepEqual(world.started[0]!.argv, ['xdg-open', '/home/ann/p.html'])
  })
  it('opens it as the user behind sudo', async () => {
    const world = worldOf({ uid: 0, env: SUDO })
    await present(world)
    assert.deepEqual(world.started[0]!.argv.slice(0, 5), ['setpriv', '--reuid', '54321', '--regid', '54321'])
    assert.equal(world.started[0]!.env.USER, 'ann')
  })
  it('does nothing with --no-open, without a page, or when no opener starts', async () => {
    const world = worldOf({ env: { DISPLAY: ':0' } })
    const nothing = { opened: '', afterFiles: [] }
    assert.deepEqual(await present(world, false), nothing)
    assert.deepEqual(await present(world, true, [{ path: 'a.json', format: 'json', bytes: 1 }]), nothing)
    assert.deepEqual(world.started, [])
    world.startDetached = async () => false
    assert.deepEqual(await present(world), nothing)
  })
  it('prints the scp and ssh -L lines over SSH', async () => {
    const world = worldOf({
      env: { SSH_CONNECTION: '1.2.3.4 5 6.7.8.9 22', USER: 'ann', DISPLAY: 'localhost:10.0' },
    })
    const { afterFiles } = await present(world)
    assert.deepEqual(afterFiles, [
      'scp ann@box:/home/ann/p.html .',
      'ssh -t -L 7878:127.0.0.1:7878 ann@box profile open --port 7878 /home/ann/p.html',
    ])
    assert.deepEqual(world.started, [])
  })
  it('sees SSH through sudo, which removes its variables', async () => {
    const processes = [
      fakeProcess(500, 'node', { ppid: 499 }),
      fakeProcess(499, 'sudo', { ppid: 498 }),
      fakeProcess(498, 'bash', { ppid: 497 }),
      fakeProcess(497, 'sshd-session'),
    ]
    const { afterFiles } = await present(worldOf({ uid: 0, env: SUDO, processes }))
    assert.equal(afterFiles[0], 'scp ann@box:/home/ann/p.html .')
  })
})

describe('sshLines', () => {
  it('carry an unusual port and quote an unusual path', () => {
    const world = worldOf({ env: { SSH_CONNECTION: '1 2 3 2222', USER: 'ann' } })
    const [scp, ssh] = sshLines("/a b/it's.html", world)
    assert.equal(scp, "scp -P 2222 'ann@box:/a b/it'\\''s.html' .")
    assert.equal(
      ssh,
      "ssh -p 2222 -t -L 7878:127.0.0.1:7878 ann@box profile open --port 7878 '/a b/it'\\''s.html'",
    )
  })
  it('quote only what a shell would change', () => {
    assert.equal(shellQuoted('a/b-c.d'), 'a/b-c.d')
    assert.equal(shellQuoted('$(x)'), "'$(x)'")
    assert.equal(shellQuoted(''), "''")
  })
})
