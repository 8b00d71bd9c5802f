import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type KubernetesTimes, PodWatch } from '../../../src/identity/kubernetes.ts'
import { podKeys } from '../../../src/identity/kubernetes-attributes.ts'
import { findTool } from '../../helpers/host.ts'
import { type Answer, podEvents, podList, podObject, refuse, startKubeApi } from '../../helpers/kube-api.ts'

const skip = findTool('openssl') === '' && 'needs openssl, to make a certificate'
const FAST = { firstRetryMs: 5, lastRetryMs: 20, listMs: 5_000, silenceMs: 5_000, retentionMs: 60_000 }
const keys = podKeys({ labels: [], annotations: [], serviceFromLabels: false })
const gone = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }
const bookmark = (version: string) => ['BOOKMARK', { metadata: { resourceVersion: version } }] as const
const stays = podEvents([])

async function until(claim: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000 && !claim(); i++) await sleep(10)
  assert.ok(claim(), what)
}

async function watching(
  context: TestContext,
  lists: Answer[],
  watches: Answer[],
  times: Partial<KubernetesTimes> = {},
) {
  const api = await startKubeApi(lists, watches)
  const { port, accountDirectory } = api
  const watch = new PodWatch(
    { nodeName: 'node-1', host: '127.0.0.1', port, accountDirectory, keys },
    { ...FAST, ...times },
  )
  const ended = watch.run()
  context.after(async () => {
    watch.close()
    watch.close()
    await ended // and so it never rejects
    await api.close()
  })
  return { api, watch, names: () => ['a', 'b', 'c'].filter((name) => watch.pods.byUid(`uid-${name}`)).join() }
}

test("lists this node's pods out of the cache, then watches from there", { skip }, async (context) => {
  const events = podEvents([
    ['ADDED', podObject('b', { version: '11', containerId: '0b'.repeat(32) })],
    ['MODIFIED', podObject('a', { version: '12', containerId: '0a'.repeat(32) })],
  ])
  const { api, watch, names } = await watching(context, [podList('10', [podObject('a', {})])], [events])
  await until(() => names() === 'a,b' && watch.pods.byContainer('0a'.repeat(32)) !== null, 'both pods')
  assert.deepEqual(api.requests, [
    { isWatch: false, version: '0', selector: 'spec.nodeName=node-1', token: 'token-1' },
    { isWatch: true, version: '10', selector: 'spec.nodeName=node-1', token: 'token-1' },
  ])
  assert.equal(watch.fault, '')
})

test('a watch that ends goes on from its last event or bookmark, without a list', {
  skip,
}, async (context) => {
  const first = podEvents([['ADDED', podObject('a', { version: '21' })], bookmark('35')], true)
  const { api } = await watching(context, [podList('20', [])], [first, stays])
  await until(() => api.requests.length === 3, 'a second watch')
  assert.deepEqual(
    api.requests.map(({ version }) => version),
    ['0', '20', '35'],
  )
})

test('410 in the stream or as a status: a new list, and what is not in it is gone but still known', {
  skip,
}, async (context) => {
  const lists = [podList('1', [podObject('a', {}), podObject('b', {})]), podList('50', [podObject('b', {})])]
  const { api, watch, names } = await watching(context, lists, [
    podEvents([['ERROR', gone]], true),
    refuse(410),
    stays,
  ])
  await until(() => api.requests.length === 6, 'two more lists')
  assert.deepEqual(
    api.requests.map(({ version }) => version),
    ['0', '1', '0', '50', '0', '50'],
  )
  assert.equal(names(), 'a,b')
  assert.equal(watch.counts.expired ?? 0, 1)
  assert.equal(watch.counts.http_410, 1)
})

test('a server that answers every list with 410 is not asked in a loop', { skip }, async (context) => {
  const { api } = await watching(context, [refuse(410)], [stays], { firstRetryMs: 50, lastRetryMs: 100 })
  await sleep(300)
  assert.ok(api.requests.length < 15, `${api.requests.length} requests`)
})

test('deleted pods stay known for the retention', { skip }, async (context) => {
  const events = podEvents([
    ['DELETED', podObject('a', { version: '5' })],
    ['ADDED', podObject('b', { version: '6' })],
  ])
  const { names } = await watching(context, [podList('1', [podObject('a', {})])], [events])
  await until(() => names() === 'a,b', 'the deleted pod is known')
})

test('401: the token is read again, for the kubelet replaces it', { skip }, async (context) => {
  const onlyNew: Answer = (response, { token }) =>
    token === 'token-2' ? podList('1', [podObject('a', {})])(response, null!) : refuse(401)(response, null!)
  const { api, watch, names } = await watching(context, [onlyNew], [stays])
  await until(() => watch.counts.http_401 !== undefined, 'a refusal')
  assert.match(watch.fault, /^cannot watch the pods of this node at 127\.0\.0\.1:\d+: HTTP 401; .*token/)
  assert.doesNotMatch(watch.fault, /token-1/)
  api.setToken('token-2')
  await until(() => names() === 'a' && watch.fault === '', 'the new token')
})

test('403 says what to grant', { skip }, async (context) => {
  const { watch } = await watching(context, [refuse(403)], [stays])
  await until(() => watch.fault !== '', 'a fault')
  assert.match(watch.fault, /HTTP 403; allow the service account get, list and watch on pods/)
})

for (const [what, answer, reason] of [
  ['HTML', refuse(200, '<html>no</html>'), 'malformed'],
  [
    'a list of something else',
    refuse(200, '{"kind":"NodeList","metadata":{"resourceVersion":"1"},"items":[]}'),
    'malformed',
  ],
  ['half a list', refuse(200, '{"kind":"PodList","items":[{"metadata":'), 'cut_short'],
  ['an item that is no JSON', refuse(200, '{"items":[{nonsense}]}'), 'malformed'],
  ['nothing', refuse(200, ''), 'malformed'],
  ['a connection that breaks', ((response) => response.destroy()) as Answer, 'connection'],
  ['never', (() => {}) as Answer, 'slow'],
  ['a redirect', refuse(302), 'http_302'],
] as const) {
  test(`a server that answers ${what} is counted and asked again`, { skip }, async (context) => {
    const { watch, names } = await watching(context, [answer, podList('1', [podObject('a', {})])], [stays], {
      listMs: 300,
    })
    await until(() => names() === 'a', 'the second list')
    assert.equal(watch.counts[reason], 1, JSON.stringify(watch.counts))
    await until(() => watch.fault === '', 'no fault')
  })
}

test('garbage in a watch ends it and is counted; what came before holds', { skip }, async (context) => {
  const garbage: Answer = (response) => {
    response.write(`${JSON.stringify({ type: 'ADDED', object: podObject('a', { version: '2' }) })}\n`)
    response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: {} } })}\n{"type":5}\n[]`)
  }
  const { api, watch, names } = await watching(context, [podList('1', [])], [garbage, stays])
  await until(() => api.requests.length === 3, 'a second watch')
  assert.equal(names(), 'a')
  assert.equal(watch.counts.malformed_pod, 2)
  assert.equal(watch.counts.malformed, 1)
  assert.equal(api.requests[2]?.version, '2')
})

test('a watch that says nothing for long is begun anew', { skip }, async (context) => {
  const { api, watch } = await watching(context, [podList('1', [])], [stays], { silenceMs: 100 })
  await until(() => api.requests.length >= 3, 'another watch')
  assert.ok((watch.counts.slow ?? 0) >= 1)
})

test('a server of another authority is not believed', { skip }, async (context) => {
  const other = await startKubeApi([podList('1', [])], [stays])
  context.after(() => other.close())
  const api = await startKubeApi([podList('1', [])], [stays])
  context.after(() => api.close())
  const { accountDirectory } = other
  const watch = new PodWatch(
    { nodeName: 'n', host: '127.0.0.1', port: api.port, accountDirectory, keys },
    FAST,
  )
  const ended = watch.run()
  await until(() => watch.fault !== '', 'a fault')
  assert.equal(api.requests.length, 0)
  watch.close()
  await ended
})

test('without token or server the fault names the file or address, and close ends the waiting', {
  skip,
}, async () => {
  for (const [accountDirectory, pattern] of [['/nonexistent', /cannot read \/nonexistent\/token/]] as const) {
    const watch = new PodWatch({ nodeName: 'n', host: '127.0.0.1', port: 1, accountDirectory, keys })
    const ended = watch.run()
    await until(() => watch.fault !== '', 'a fault')
    assert.match(watch.fault, pattern)
    watch.close()
    await ended
  }
})
