/**
 * Whether a browser can and should be opened here, as whom, and what to say instead over SSH. Deciding is pure;
 * starting xdg-open is one call of World.
 */
import { existsSync, readdirSync } from 'node:fs'
import { type Environment, environmentOf, type InvokingUser, invokingUser } from './invoking-user.ts'
import { ancestorsOf } from './process-source.ts'
import type { World } from './world.ts'

/** Why no browser is opened, or that it is. */
export type BrowserChoice = 'open' | 'not a terminal' | 'ssh' | 'ci' | 'root' | 'no display'

export interface Desktop {
  readonly isTTY: boolean
  readonly overSsh: boolean
  readonly uid: number
  readonly user: InvokingUser | null
  readonly env: Environment
}

/** Pure decision over what is known of the desktop. */
export function chooseBrowser(desktop: Desktop): BrowserChoice {
  const { env } = desktop
  if (desktop.overSsh) return 'ssh'
  if (!desktop.isTTY) return 'not a terminal'
  if (env.CI !== undefined && env.CI !== '' && env.CI !== 'false') return 'ci'
  if (desktop.uid === 0 && !desktop.user) return 'root'
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return 'no display'
  return 'open'
}

/** What this world says about it. sudo removes SSH_* and WAYLAND_DISPLAY, so parents and sockets are asked too. */
export function desktopOf(world: World): Desktop {
  const user = invokingUser(world.uid, world.env)
  const named = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'].some((name) => Boolean(world.env[name]))
  const parents =
    user !== null && ancestorsOf(world.pid, world.processes).some((p) => p.comm.startsWith('sshd'))
  return {
    isTTY: world.stdout.isTTY === true,
    overSsh: named || parents,
    uid: world.uid,
    user,
    env: user ? { ...sessionOf(user), ...environmentOf(user, world.env) } : world.env,
  }
}

/** The session of the user behind sudo, as far as its runtime directory shows it. */
function sessionOf(user: InvokingUser): Environment {
  const directory = `/run/user/${user.uid}`
  if (!existsSync(directory)) return {}
  const wayland = readdirSync(directory).find((name) => /^wayland-\d+$/.test(name))
  return {
    XDG_RUNTIME_DIR: directory,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${directory}/bus`,
    ...(wayland === undefined ? {} : { WAYLAND_DISPLAY: wayland }),
  }
}

/** Opens a file path or URL as the invoking user. False when no opener could be started. */
export function openInBrowser(target: string, desktop: Desktop, world: World): Promise<boolean> {
  const { user } = desktop
  const opener = ['xdg-open', target]
  const as = user
    ? ['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups', '--', ...opener]
    : opener
  return world.startDetached(as, desktop.env)
}

/** Port of our own suggestion for `ssh -L`; any free one would do. */
const FORWARD_PORT = 7878

/** Two lines that bring a page to the machine in front of the user. `path` is absolute. */
export function sshLines(path: string, world: World): string[] {
  const host = sshDestination(world)
  const port = world.env.SSH_CONNECTION?.split(' ')[3] ?? '22'
  const [scpPort, sshPort] = port === '22' ? ['', ''] : [`-P ${port} `, `-p ${port} `]
  const quoted = shellQuoted(path)
  return [
    `scp ${scpPort}${shellQuoted(`${host}:${path}`)} .`,
    `ssh ${sshPort}-t -L ${FORWARD_PORT}:127.0.0.1:${FORWARD_PORT} ${host} profile open --port ${FORWARD_PORT} ${quoted}`,
  ]
}

/** 'user@host' of this machine. */
export function sshDestination(world: World): string {
  const user = world.env.SUDO_USER ?? world.env.USER ?? ''
  return user === '' ? world.hostname : `${user}@${world.hostname}`
}

/** A word for sh: quoted only when it needs to be. */
export function shellQuoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
