/**
 * Watches the pods of this node: one list, then a watch from there, for ever.
 *
 * By hand over node:https, for two reasons: the official client costs 50 MB, and one object at a time of a stream is
 * all that has to be in memory. The protocol is https://kubernetes.io/docs/reference/using-api/api-concepts/: a list
 * out of the server's cache (resourceVersion=0, for a quorum read of a field selector would scan every pod of the
 * cluster), a watch that bookmarks keep fresh, and a new list when the server has forgotten our version (410).
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { Agent, RequestOptions } from 'node:https'
import { JsonObjects, type JsonShape } from './json-objects.ts'
import { type PodKeys, PodTable, readPod } from './pods.ts'

const ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount'
const HANGS_UP_MS = 1_000
const MAX_OBJECT = 4 * 1024 * 1024 // etcd takes 1.5 MiB

/** How long things take; tests make them short. */
export interface KubernetesTimes {
  readonly firstRetryMs: number
  readonly lastRetryMs: number
  /** A list that takes longer is given up. */
  readonly listMs: number
  /** How long one watch is asked for; without a byte for that and half a minute, its connection is dead. */
  readonly watchSeconds: number
  readonly silenceMs: number
  /** Pods stay known for so long after they are gone. */
  readonly retentionMs: number
}
const TIMES: KubernetesTimes = {
  firstRetryMs: 500,
  lastRetryMs: 30_000,
  listMs: 60_000,
  watchSeconds: 290,
  silenceMs: 320_000,
  retentionMs: 5 * 60_000,
}

export interface PodWatchOptions {
  readonly nodeName: string
  readonly host: string
  readonly port: number
  /** Directory of `token` and `ca.crt`. */
  readonly accountDirectory?: string
  readonly keys: PodKeys
}

/** Why a request failed; the key of its counter, and whether the next one must be a list. */
class RequestFault extends Error {
  readonly reason: string
  readonly relist: boolean
  constructor(reason: string, message: string, relist = false) {
    super(message)
    this.reason = reason
    this.relist = relist
  }
}

const REMEDIES: Readonly<Record<number, string>> = {
  401: 'the token of the service account is not accepted; is it mounted and of this cluster?',
  403: 'allow the service account get, list and watch on pods (helm: rbac.create)',
}

export class PodWatch {
  readonly pods: PodTable
  /** '' while lists and watches succeed, else what failed last. */
  fault = ''
  /** Requests and failures since start, by reason. */
  readonly counts: Record<string, number> = {}
  private readonly options: PodWatchOptions
  private readonly times: KubernetesTimes
  private readonly closing = new AbortController()
  private agent: Agent | null = null
  private version = ''

  /** Nothing is asked before `run`. */
  constructor(options: PodWatchOptions, times: Partial<KubernetesTimes> = {}) {
    this.options = options
    this.times = { ...TIMES, ...times }
    this.pods = new PodTable(this.times.retentionMs, () => performance.now())
  }

  /** Lists and watches until `close`; never rejects: every failure is counted, worded in `fault` and tried again. */
  async run(): Promise<void> {
    let failures = 0
    while (!this.closing.signal.aborted) {
      try {
        if (this.version === '') await this.list()
        const began = performance.now()
        const events = await this.watch()
        const isIdle = events === 0 && performance.now() - began < HANGS_UP_MS
        failures = isIdle ? failures + 1 : 0 // a server that hangs up at once is not asked in a loop
        this.count('watch_ended')
      } catch (error) {
        if (this.closing.signal.aborted) return
        failures = this.note(error) ? 0 : failures + 1
      }
      if (failures > 0) await this.pause(failures)
    }
  }

  /** Ends the watch. Safe twice. */
  close(): void {
    this.closing.abort()
    this.agent?.destroy()
  }

  /** Counts a failure; true when the next request may follow at once. */
  private note(error: unknown): boolean {
    const known = error instanceof RequestFault
    this.count(known ? error.reason : 'connection')
    if (known && error.relist) {
      const first = this.version !== ''
      this.version = ''
      return first // expired: the list is next; a list that is told so too waits
    }
    const { host, port } = this.options
    this.fault = `cannot watch the pods of this node at ${host}:${port}: ${(error as Error).message}`
    return false
  }

  private count(reason: string): void {
    this.counts[reason] = (this.counts[reason] ?? 0) + 1
  }

  private pause(failures: number): Promise<void> {
    const { firstRetryMs, lastRetryMs } = this.times
    const limit = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 16))
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.closing.signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, limit * (0.5 + Math.random() / 2)).unref()
      this.closing.signal.addEventListener('abort', end)
    })
  }

  private async list(): Promise<void> {
    const uids = new Set<string>()
    const body = await this.request('resourceVersion=0', 'items', this.times.listMs, (text) => {
      const pod = readPod(parse(text), this.options.keys)
      if (!pod) return this.count('malformed_pod')
      uids.add(pod.uid)
      this.pods.set(pod)
    })
    const { kind, metadata } = parse(body.envelope) as { kind?: unknown; metadata?: ObjectMeta }
    const version = metadata?.resourceVersion
    if (kind !== 'PodList' || typeof version !== 'string' || version === '')
      throw new RequestFault('malformed', 'the answer is no list of pods')
    this.pods.keepOnly(uids)
    this.version = version
    this.count('listed')
  }

  /** Resolves with the number of events when the server ends the watch, as it does every few minutes. */
  private async watch(): Promise<number> {
    const { watchSeconds, silenceMs } = this.times
    const seconds = Math.round(watchSeconds * (1 + Math.random() / 10)) // not all nodes at once
    const version = encodeURIComponent(this.version)
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${seconds}&resourceVersion=${version}`
    let events = 0
    await this.request(query, 'sequence', silenceMs, (text) => {
      events++
      this.onEvent(parse(text) as WatchEvent)
    })
    return events
  }

  private onEvent({ type, object }: WatchEvent): void {
    if (type === 'ERROR') {
      const gone = object?.code === 410 || object?.reason === 'Expired' || object?.reason === 'Gone'
      throw new RequestFault(gone ? 'expired' : 'watch_error', `the watch failed: ${object?.message}`, gone)
    }
    if (type !== 'BOOKMARK') {
      const pod = readPod(object, this.options.keys)
      if (!pod) this.count('malformed_pod')
      else {
        this.pods.set(pod) // a deleted pod comes with its last state
        if (type === 'DELETED') this.pods.remove(pod.uid)
      }
    }
    const version = object?.metadata?.resourceVersion
    if (typeof version === 'string' && version !== '') this.version = version
  }

  /** One GET; resolves at the end of a whole body. `limitMs`: of a list in all, of a watch without a byte. */
  private async request(
    query: string,
    shape: JsonShape,
    limitMs: number,
    onObject: (text: string) => void,
  ): Promise<JsonObjects> {
    const { get, Agent } = await import('node:https')
    this.agent ??= new Agent({ keepAlive: true, maxSockets: 1 })
    const options = this.requestOptions(query)
    const objects = new JsonObjects(shape, MAX_OBJECT, onObject)
    return new Promise((resolve, reject) => {
      const request = get(options, (response) => {
        if (response.statusCode !== 200) return fail(refusal(response))
        this.fault = ''
        response.on('data', (chunk: Buffer) => {
          if (shape === 'sequence') timer.refresh()
          try {
            objects.feed(chunk)
          } catch (error) {
            fail(error instanceof RequestFault ? error : new RequestFault('malformed', String(error)))
          }
        })
        response.on('error', fail)
        response.on('close', () => {
          if (objects.complete) return finish(() => resolve(objects))
          fail(new RequestFault('cut_short', 'the answer broke off'))
        })
      })
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        settle()
      }
      const fail = (error: Error) => {
        finish(() => reject(error))
        request.destroy()
      }
      const timer = setTimeout(() => fail(new RequestFault('slow', 'no answer in time')), limitMs).unref()
      request.on('error', fail)
      request.on('socket', (socket) => socket.setKeepAlive(true, 30_000))
    })
  }

  /** The files are read for every request: the kubelet replaces the token every hour, and the CA when it is renewed. */
  private requestOptions(query: string): RequestOptions & { signal: AbortSignal } {
    const { host, port, nodeName, accountDirectory = ACCOUNT_DIRECTORY } = this.options
    const selector = encodeURIComponent(`spec.nodeName=${nodeName}`)
    const token = readAccountFile(`${accountDirectory}/token`).trim()
    return {
      host,
      port,
      path: `/api/v1/pods?fieldSelector=${selector}&${query}`,
      ca: readAccountFile(`${accountDirectory}/ca.crt`),
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'user-agent': 'emberscope' },
      agent: this.agent!,
      signal: this.closing.signal,
    }
  }
}

interface ObjectMeta {
  readonly resourceVersion?: unknown
}
interface WatchEvent {
  readonly type?: unknown
  readonly object?: {
    readonly code?: unknown
    readonly reason?: unknown
    readonly message?: unknown
    readonly metadata?: ObjectMeta
  } | null
}

function parse(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new RequestFault('malformed', `the answer is no JSON: ${(cause as Error).message.slice(0, 80)}`)
  }
  if (typeof value !== 'object' || value === null) throw new RequestFault('malformed', 'not an object')
  return value
}

function readAccountFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new RequestFault('account', `cannot read ${path}: ${(error as Error).message}`)
  }
}

// The reason is in the status; the body may be anything.
function refusal(response: IncomingMessage): RequestFault {
  const status = response.statusCode ?? 0
  const remedy = REMEDIES[status]
  return new RequestFault(`http_${status}`, `HTTP ${status}${remedy ? `; ${remedy}` : ''}`, status === 410)
}
