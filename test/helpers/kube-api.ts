/** An API server as far as a watcher of pods sees it: scripted answers over real TLS, on a port of its own. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PodShape {
  readonly containerId?: string
  /** Of the container before the last restart. */
  readonly before?: string
  readonly image?: string
  readonly owner?: readonly [kind: string, name: string]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly restarts?: number
  readonly version?: string
}

/** A pod as the API writes it, in namespace `shop` on `node-1`, uid `uid-<name>`. */
export function podObject(name: string, shape: PodShape): object {
  const { containerId, before, image = 'web:1', owner, restarts = 0, version = '1' } = shape
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: `uid-${name}`,
      resourceVersion: version,
      labels: shape.labels ?? {},
      annotations: shape.annotations ?? {},
      managedFields: [{ manager: 'kubelet', fieldsV1: { 'f:status': {} } }],
      ...(owner
        ? { ownerReferences: [{ kind: owner[0], name: owner[1], uid: 'owner-uid', controller: true }] }
        : {}),
    },
    spec: {
      nodeName: 'node-1',
      containers: [{ name: 'app', image, env: [{ name: 'PASSWORD', value: 'hunter2' }] }],
    },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'app',
          image,
          imageID: `${image.replace(/:[^:/]*$/, '')}@sha256:${'ee'.repeat(32)}`,
          restartCount: restarts,
          ...(containerId ? { containerID: `containerd://${containerId}` } : {}),
          ...(before ? { lastState: { terminated: { containerID: `containerd://${before}` } } } : {}),
        },
      ],
    },
  }
}

export interface SeenRequest {
  readonly isWatch: boolean
  readonly version: string
  readonly selector: string
  readonly token: string
}

/** Answers one request; a list or a watch, numbered from 0 in each kind. */
export type Answer = (response: ServerResponse, seen: SeenRequest) => void

export interface KubeApi {
  readonly port: number
  /** Where `token` and `ca.crt` are. */
  readonly accountDirectory: string
  readonly requests: SeenRequest[]
  setToken(token: string): void
  close(): Promise<void>
}

/** Starts a server whose n-th list and n-th watch are answered by the scripts; the last of each is repeated. */
export async function startKubeApi(lists: readonly Answer[], watches: readonly Answer[]): Promise<KubeApi> {
  const directory = mkdtempSync(join(tmpdir(), 'kube-'))
  mkdirSync(join(directory, 'account'))
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'account/ca.crt')]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
      .concat(['-subj', '/CN=kube', '-addext', 'subjectAltName=IP:127.0.0.1'])
      .concat(['-keyout', key, '-out', certificate]),
    { stdio: 'ignore' },
  )
  const setToken = (token: string) => writeFileSync(join(directory, 'account/token'), `${token}\n`)
  setToken('token-1')
  const requests: SeenRequest[] = []
  const counts = { list: 0, watch: 0 }
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', 'https://kube')
    const seen = {
      isWatch: url.searchParams.get('watch') === '1',
      version: url.searchParams.get('resourceVersion') ?? '',
      selector: url.searchParams.get('fieldSelector') ?? '',
      token: (request.headers.authorization ?? '').replace('Bearer ', ''),
    }
    requests.push(seen)
    const script = seen.isWatch ? watches : lists
    const number = seen.isWatch ? counts.watch++ : counts.list++
    script[Math.min(number, script.length - 1)]!(response, seen)
  }
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    accountDirectory: join(directory, 'account'),
    requests,
    setToken,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A list of these pods. */
export function podList(version: string, pods: readonly object[]): Answer {
  return (response) =>
    response.end(JSON.stringify({ kind: 'PodList', metadata: { resourceVersion: version }, items: pods }))
}

/** A watch that sends these events and then stays open, or ends. */
export function podEvents(
  events: readonly (readonly [type: string, object: object])[],
  ends = false,
): Answer {
  return (response) => {
    for (const [type, object] of events) response.write(`${JSON.stringify({ type, object })}\n`)
    if (ends) response.end()
  }
}

/** An answer with this status and body. */
export function refuse(status: number, body = '{"kind":"Status"}'): Answer {
  return (response) => {
    response.statusCode = status
    response.end(body)
  }
}
