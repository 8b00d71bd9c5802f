/**
 * Everything outside the process that the command line touches, as one object, so that tests can hand in a fake
 * host, fake streams and a fake clock. Files are real: tests use a temporary directory.
 */
import { spawn } from 'node:child_process'
import { hostname } from 'node:os'
import { type HostSnapshot, readHost } from './host.ts'
import type { Environment } from './invoking-user.ts'
import { type Launch, launch } from './launch.ts'
import { type ProcessSource, procProcesses } from './process-source.ts'

/** The part of a stream we use. */
export interface TextOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  /** True once the reader is gone. */
  readonly destroyed?: boolean
  write(data: string | Uint8Array): boolean
  once(event: 'drain' | 'close', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
}

export interface World {
  readonly env: Environment
  readonly cwd: string
  readonly pid: number
  /** Effective user. */
  readonly uid: number
  readonly hostname: string
  /** How the user can call us again: 'profile', or a path when that is not on PATH. */
  readonly commandName: string
  readonly stdout: TextOutput
  readonly stderr: TextOutput
  readonly processes: ProcessSource
  host(): HostSnapshot
  now(): Date
  /** Nanoseconds of a clock that never jumps. */
  monotonicNs(): bigint
  /** Returns the function that removes the handler. */
  onSignal(signal: NodeJS.Signals, handler: () => void): () => void
  /** Ends the program at once. */
  exit(code: number): void
  readonly launch: Launch
  /** Starts a program that outlives us, its output discarded; false when it can't be started. */
  startDetached(argv: readonly string[], env: Environment): Promise<boolean>
}

/** This process on this host. */
export function realWorld(): World {
  return {
    env: process.env,
    cwd: currentDirectory(),
    pid: process.pid,
    uid: process.geteuid?.() ?? -1,
    hostname: hostname(),
    commandName: commandName(process.argv[1] ?? '', process.env.PATH ?? '', currentDirectory()),
    stdout: process.stdout,
    stderr: process.stderr,
    processes: procProcesses('/proc'),
    host: readHost,
    now: () => new Date(),
    monotonicNs: () => process.hrtime.bigint(),
    onSignal: (signal, handler) => {
      process.on(signal, handler)
      return () => process.off(signal, handler)
    },
    exit: (code) => process.exit(code),
    launch,
    startDetached,
  }
}

/** A directory that was removed under us still answers to its link in /proc; no file can be created in it. */
function currentDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return '/proc/self/cwd'
  }
}

/** 'profile' when its directory is on PATH, else the path as short as it goes. */
export function commandName(script: string, path: string, cwd: string): string {
  const at = script.lastIndexOf('/')
  const name = script.slice(at + 1)
  if (name !== 'profile') return 'profile'
  const directory = script.slice(0, at)
  if (path.split(':').includes(directory)) return name
  return script.startsWith(`${cwd}/`) ? `./${script.slice(cwd.length + 1)}` : script
}

function startDetached(argv: readonly string[], env: Environment): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(argv[0]!, argv.slice(1), { detached: true, stdio: 'ignore', env: { ...env } })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}
