/** A running `profile agent` with a configuration of its own, for peers to talk to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { packageRoot } from '../../src/native/addon.ts'
import { until } from '../helpers/busy-process.ts'

export interface RunningAgent {
  readonly pid: number
  /** host:port of its server. */
  readonly address: string
  log(): string
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM; the exit code, or the signal's name. */
  stop(): Promise<number | string>
}

/** Starts it with these lines of YAML besides directories of its own below `directory`; resolves once it listens. */
export async function startAgent(directory: string, lines: readonly string[]): Promise<RunningAgent> {
  const config = join(directory, 'agent.yaml')
  const own = [`queue: { dir: ${join(directory, 'queue')} }`, `runDir: ${join(directory, 'run')}`]
  writeFileSync(config, [...own, 'listen: 127.0.0.1:0', ...lines, ''].join('\n'))
  const child: ChildProcess = spawn(join(packageRoot(), 'bin/profile'), ['agent', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  let log = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text
    })
  // A test that fails does not end it; then it must not keep the runner waiting either.
  child.unref()
  for (const stream of [child.stdout, child.stderr]) (stream as Socket).unref()
  const end = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? '')),
  )
  const ended = () => {
    child.ref()
    return end
  }
  const address = () => / listening .*address=(\S+)/.exec(log)?.[1] ?? ''
  await until(`the agent listens:\n${log}`, () => address() !== '' || child.exitCode !== null)
  if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}:\n${log}`)
  return {
    pid: child.pid!,
    address: address(),
    log: () => log,
    kill: async () => {
      kill()
      await ended()
    },
    stop: async () => {
      child.kill('SIGTERM')
      const status = await ended()
      process.off('exit', kill)
      return status
    },
  }
}

/** The body of a GET. */
export function fetchText(address: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`http://${address}${path}`, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => (response.statusCode === 200 ? resolve(body) : reject(new Error(body))))
    }).on('error', reject)
  })
}
