/** Runs `profile agent` as its own process, with directories of its own, and watches its log and its metrics. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../src/native/addon.ts'
import { scratchDirectory } from './profile-run.ts'

const started = new Set<ChildProcess>()
process.on('exit', endAgents)

/** Ends the agents that a failed test left behind: they would hold the test process, and the next test's data. */
export function endAgents(): void {
  for (const child of started) child.kill('SIGKILL')
}

/** How long a test waits for what an agent should do, on a busy host. */
const PATIENCE_MS = 60_000

export interface AgentRun {
  readonly pid: number
  /** Queue, run directory and what else a test puts there; a second start can have the same. */
  readonly directory: string
  readonly log: () => string
  /** The first match in the log, waited for. */
  logged(pattern: RegExp): Promise<RegExpExecArray>
  /** 'host:port' of metrics and page. */
  address(): Promise<string>
  request(path: string): Promise<{ readonly status: number; readonly body: string }>
  /** Value of a metric by its name and labels as they are printed; 0 when it is not there. */
  metric(name: string): Promise<number>
  /** Waits for the end that the agent itself finds: the exit code. */
  ended(): Promise<number | string>
  /** Sends a signal and waits for the end: the exit code, or the signal's name. */
  end(signal?: NodeJS.Signals): Promise<number | string>
}

/** Windows of a second, on a free port; `flags` come last. */
export function startAgent(
  flags: readonly string[],
  options: { readonly directory?: string; readonly env?: Readonly<Record<string, string>> } = {},
): AgentRun {
  const directory = options.directory ?? scratchDirectory()
  const own = ['--queue-dir', join(directory, 'queue'), '--run-dir', join(directory, 'run')]
  const fixed = ['--listen', '127.0.0.1:0', '--window', '1s', '--kubernetes-metadata', 'off']
  const words = [join(packageRoot(), 'bin/profile'), 'agent', ...own, ...fixed, ...flags]
  const env = { PATH: process.env.PATH ?? '', ...options.env }
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'], env })
  started.add(child)
  const ended = once(child, 'close') as Promise<[number | null, string | null]>
  void ended.then(() => started.delete(child))
  let log = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const logged = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(20)) {
      const match = pattern.exec(log)
      if (match) return match
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`the agent did not log ${pattern} (exit code ${child.exitCode}):\n${log}`)
    }
  }
  const status = async () => {
    const [code, by] = await ended
    return by ?? code ?? -1
  }
  const address = async () => (await logged(/listening address=(\S+)/))[1]!
  const request = async (path: string) => await fetchText(`http://${await address()}${path}`)
  return {
    pid: child.pid!,
    directory,
    log: () => log,
    logged,
    address,
    request,
    metric: async (name) => {
      const { body } = await request('/metrics')
      const line = body.split('\n').find((text) => text.startsWith(`${name} `) || text.startsWith(`${name}{`))
      return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0)
    },
    ended: status,
    end: (signal = 'SIGTERM') => {
      child.kill(signal)
      return status()
    },
  }
}

function fetchText(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode!, body }))
    }).on('error', reject)
  })
}

/** Looks every 50 ms until `holds` does. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await holds()); await sleep(50))
    if (Date.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1000} s in vain until ${what}`)
}
