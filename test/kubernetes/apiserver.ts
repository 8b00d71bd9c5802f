/**
 * A kube-apiserver with its etcd on loopback, without controllers: objects are checked, admitted and stored, and no pod is
 * ever started. Requests go with one of two tokens, of a cluster administrator and of the agent's ServiceAccount.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { APISERVER, ETCD } from './tools.ts'

const READY_TIMEOUT_MS = 90_000
const TYPES: Readonly<Record<string, string>> = { PATCH: 'application/merge-patch+json' }
const STOP_TIMEOUT_MS = 10_000
export const ADMIN = 'token-of-the-administrator'
export const AGENT = 'token-of-the-agent'

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes, or its Status
  readonly body: any
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

export class ApiServer {
  readonly #directory: string
  readonly #children: ChildProcess[] = []
  #port = 0

  /** `directory`: empty, for state, certificates and logs. */
  constructor(directory: string) {
    this.#directory = directory
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`
  }

  /** File of the certificate authority that clients must trust. */
  get authority(): string {
    return join(this.#directory, 'certs/apiserver.crt')
  }

  /** Resolves when /readyz says ok. Throws with the end of the log otherwise. `agent`: user name behind the AGENT token. */
  async start(agent: string): Promise<void> {
    const [client, peer] = [await freePort(), await freePort()]
    this.#port = await freePort()
    const at = (port: number) => `http://127.0.0.1:${port}`
    this.#spawn('etcd', ETCD, [
      `--data-dir=${join(this.#directory, 'etcd')}`,
      `--listen-client-urls=${at(client)}`,
      `--advertise-client-urls=${at(client)}`,
      `--listen-peer-urls=${at(peer)}`,
      `--initial-advertise-peer-urls=${at(peer)}`,
      `--initial-cluster=default=${at(peer)}`,
      '--unsafe-no-fsync',
    ])
    this.#spawn('apiserver', APISERVER, this.#arguments(at(client), agent))
    await this.#ready()
  }

  #arguments(etcd: string, agent: string): string[] {
    const key = join(this.#directory, 'service-account.key')
    spawnSync('openssl', ['genrsa', '-out', key, '2048'])
    const tokens = join(this.#directory, 'tokens.csv')
    writeFileSync(tokens, `${ADMIN},admin,1,system:masters\n${AGENT},${agent},2,system:serviceaccounts\n`)
    return [
      `--etcd-servers=${etcd}`,
      `--secure-port=${this.#port}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--cert-dir=${join(this.#directory, 'certs')}`,
      '--authorization-mode=RBAC',
      `--token-auth-file=${tokens}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${key}`,
      `--service-account-signing-key-file=${key}`,
      '--service-cluster-ip-range=10.96.0.0/24',
      '--allow-privileged=true',
    ]
  }

  #spawn(name: string, program: string, args: string[]): void {
    const log = openSync(join(this.#directory, `${name}.log`), 'w')
    this.#children.push(spawn(program, args, { stdio: ['ignore', log, log] }))
    closeSync(log)
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS
    while (Date.now() < deadline && this.#children.every((child) => child.exitCode === null)) {
      const answer = await this.request('GET', '/readyz').catch(() => null)
      if (answer?.status === 200) return
      await sleep(250)
    }
    const log = readFileSync(join(this.#directory, 'apiserver.log'), 'utf8')
    throw new Error(`the API server is not ready: ${log.slice(-1500)}`)
  }

  request(method: string, path: string, body?: unknown, token = ADMIN): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': TYPES[method] ?? 'application/json' }
    return new Promise((resolve, reject) => {
      const options = { method, headers, ca: readFileSync(this.authority), timeout: 20_000 }
      const call = request(this.url + path, options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          // A watch without events is an empty answer.
          const isJson = text !== '' && response.headers['content-type']?.includes('json') === true
          resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text })
        })
      })
      call.on('timeout', () => call.destroy(new Error(`${method} ${path}: no answer`)))
      call.on('error', reject)
      call.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** Ends both programs and removes their state. */
  async stop(): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.pid === undefined) continue
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await ended
      clearTimeout(killer)
    }
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
