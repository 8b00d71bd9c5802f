/**
 * Runs a command so that it is profiled from its first instruction: a shell waits behind a gate (a pipe on
 * descriptor 3) until its pid is in the kernel filter, then turns into the command by exec, keeping pid, standard
 * streams, directory and foreground group. If we die first, the pipe closes and the command never starts.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, type Stats, statSync } from 'node:fs'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { AgentError } from '../errors.ts'
import type { ExitStatus } from './deps.ts'
import { type Environment, environmentOf, type InvokingUser } from './invoking-user.ts'
import { clean } from './terminal.ts'

/** The odd variable name keeps a user's own variable from being touched. dash knows no `exec --`. */
const GATE = 'read -r emberscope_gate <&3 || exit 130; exec 3<&-; unset emberscope_gate; exec "$@"'

export interface LaunchOptions {
  readonly cwd: string
  readonly env: Environment
  /** Run as this user; null: as we are. */
  readonly user: InvokingUser | null
}

export interface Launched {
  readonly pid: number
  /** Opens the gate. Safe to call twice. */
  release(): void
  /** Closes the gate for good: a command that was not released never runs. */
  cancel(): void
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<ExitStatus>
}

export type Launch = (argv: readonly string[], options: LaunchOptions) => Promise<Launched>

/** Starts the gate. Errors: AgentError `unsupported` when the host starts no more programs, or none so long. */
export async function launch(argv: readonly string[], options: LaunchOptions): Promise<Launched> {
  try {
    return await startGate(argv, options)
  } catch (cause) {
    const command = clean(argv[0] ?? '')
    throw new AgentError('unsupported', `cannot start ${command}: ${spawnReason(cause)}`, { cause })
  }
}

const SPAWN_REASONS: Readonly<Record<string, string>> = {
  E2BIG: 'its arguments and environment are longer than the kernel takes; shorten them',
  EAGAIN: 'the limit of processes is reached; raise it: ulimit -u',
  EMFILE: 'the limit of open files is too low; raise it: ulimit -n 1024',
  ENFILE: 'the host has too many files open; close some programs',
  ENOMEM: 'there is no memory left; close some programs',
}

function spawnReason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  return SPAWN_REASONS[code ?? ''] ?? message
}

async function startGate(argv: readonly string[], options: LaunchOptions): Promise<Launched> {
  const { file, args, ids } = gateCommand(argv, options.user, findSetpriv())
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...environmentOf(options.user, options.env) },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    ...ids,
  })
  const ended = endOf(child)
  await new Promise<void>((done, fail) => {
    child.once('spawn', done)
    child.once('error', fail)
  })
  const gate = child.stdio[3] as Writable
  // The reader may be gone (killed while it waited); its end is reported by `ended`.
  gate.on('error', () => {})
  return {
    pid: child.pid!,
    release: () => void (gate.writable && gate.end('go\n')),
    cancel: () => void gate.destroy(),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

function endOf(child: ChildProcess): Promise<ExitStatus> {
  return new Promise((done) => child.once('exit', (code, signal) => done({ code, signal })))
}

/**
 * The program to spawn. setpriv gives the user all their groups; libuv's own setuid would drop all but one, and is
 * taken only where setpriv (util-linux) is missing.
 */
export function gateCommand(
  argv: readonly string[],
  user: InvokingUser | null,
  setpriv: string,
): { file: string; args: string[]; ids: { uid?: number; gid?: number } } {
  const gate = ['-c', GATE, 'profile', ...argv]
  if (!user) return { file: '/bin/sh', args: gate, ids: {} }
  if (setpriv === '') return { file: '/bin/sh', args: gate, ids: { uid: user.uid, gid: user.gid } }
  const groups = user.name === '' ? '--clear-groups' : '--init-groups'
  const ids = ['--reuid', String(user.uid), '--regid', String(user.gid), groups]
  return { file: setpriv, args: [...ids, '--', '/bin/sh', ...gate], ids: {} }
}

function findSetpriv(): string {
  return ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path)) ?? ''
}

/** Exit code for the shell: its own, or 128 + the number of the signal. */
export function exitCodeOf(status: ExitStatus): number {
  return status.signal === null ? (status.code ?? 1) : 128 + constants.signals[status.signal]
}

/** Why a command cannot run, with the shell's exit code for it. */
export interface CannotRun {
  readonly exitCode: 126 | 127
  readonly message: string
}

/** What is at a path, null for nothing. Never throws: a directory on PATH may be closed to us. */
function statOf(path: string): Stats | 'denied' | null {
  try {
    return statSync(path)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'denied' : null
  }
}

/** Looks where exec will look: as given with a slash, else along PATH. null when it can be tried. */
export function checkCommand(name: string, cwd: string, env: Environment): CannotRun | null {
  if (name === '') return { exitCode: 127, message: 'the command after -- is empty' }
  const hasSlash = name.includes('/')
  const directories = hasSlash ? [''] : (env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(':')
  let refused = ''
  for (const directory of directories) {
    const path = resolve(cwd, directory, name)
    const stat = statOf(path)
    if (!stat) continue
    if (stat === 'denied') refused ||= hasSlash ? `${path}: permission denied` : ''
    else if (stat.isDirectory()) refused ||= `${path} is a directory`
    else if ((stat.mode & 0o111) === 0) refused ||= `${path} is not executable; chmod +x makes it so`
    else return null
  }
  if (refused !== '') return { exitCode: 126, message: `cannot run ${name}: ${refused}` }
  const sudo = env.SUDO_UID !== undefined && !hasSlash ? ' (sudo replaces PATH; give the full path)' : ''
  const where = hasSlash ? 'no such file' : 'not found on PATH'
  return { exitCode: 127, message: `cannot run ${name}: ${where}${sudo}` }
}
