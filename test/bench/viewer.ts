/**
 * The page against its goals and against speedscope, in one run of a real browser: how soon a large profile is seen,
 * how fast zoom and search answer, what the page costs. Figures are medians; the goal stands beside each.
 *
 * speedscope gets the same trees as collapsed text; ratios compare the same size only.
 */
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { frameName } from '../../src/model/frame-name.ts'
import type { Profile } from '../../src/model/profile.ts'
import { pageAssets } from '../../src/server/page-assets.ts'
import { htmlOf, launch, noBrowser, until } from '../browser/chromium.ts'
import { largeProfile, profileOf } from '../helpers/sample-profile.ts'

const ROUNDS = 5
/** A size that everybody opens. */
const PEER_NODES = 100_000
const SPEEDSCOPE = join(import.meta.dirname, '../../../node_modules/speedscope/dist/release')

interface Figures {
  readonly paintMs: number
  readonly answerMs: number
  readonly zoomMs: number
  readonly searchMs: number
  readonly onlyMs: number
  readonly hideMs: number
  readonly startTaskMs: number
  readonly actionTaskMs: number
  readonly heapMB: number
  readonly fileMB: number
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

async function measurePage(browser: Browser, profile: Profile, folder: string): Promise<Figures> {
  const path = join(folder, 'page.html')
  writeFileSync(path, htmlOf(profile))
  const rounds: Omit<Figures, 'fileMB'>[] = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await measureRound(browser, path))
  const of = (key: keyof Omit<Figures, 'fileMB'>): number => median(rounds.map((round) => round[key]))
  return {
    paintMs: of('paintMs'),
    answerMs: of('answerMs'),
    zoomMs: of('zoomMs'),
    searchMs: of('searchMs'),
    onlyMs: of('onlyMs'),
    hideMs: of('hideMs'),
    startTaskMs: of('startTaskMs'),
    actionTaskMs: of('actionTaskMs'),
    heapMB: of('heapMB'),
    fileMB: statSync(path).size / 1e6,
  }
}

async function measureRound(browser: Browser, path: string): Promise<Omit<Figures, 'fileMB'>> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  await page.addInitScript(`window.longTasks = []
    new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((task) => task.duration)))
      .observe({ type: 'longtask', buffered: true })`)
  await page.goto(pathToFileURL(path).href)
  await until(page, "performance.getEntriesByName('emberscope-answered').length")
  const [paintMs, answerMs] = [await markTime(page, 'painted'), await markTime(page, 'answered')]
  await page.waitForTimeout(SETTLE_MS)
  const startTaskMs = await longestTask(page)
  const zooms: number[] = []
  for (let z = 1; z <= 4; z++) {
    zooms.push(await timeAction(page, zoom(z)))
    await timeAction(page, key('0'))
  }
  const searchMs = await timeAction(page, search('/operation_1\\d*7/'))
  await timeAction(page, key('Escape'))
  const onlyMs = await timeAction(page, search('operation_17', true))
  await timeAction(page, UNDO)
  const hideMs = await timeAction(page, search('-operation_17', true))
  await page.waitForTimeout(SETTLE_MS)
  const actionTaskMs = await longestTask(page)
  const heapMB = await heapOf(page)
  await context.close()
  return {
    paintMs,
    answerMs,
    zoomMs: median(zooms),
    searchMs,
    onlyMs,
    hideMs,
    startTaskMs,
    actionTaskMs,
    heapMB,
  }
}

/** Until the table and the band are drawn too. */
const SETTLE_MS = 500

function markTime(page: Page, name: string): Promise<number> {
  return page.evaluate<number>(`performance.getEntriesByName('emberscope-${name}')[0].startTime`)
}

/** The longest task since the last call; 0 when none took 50 ms. */
function longestTask(page: Page): Promise<number> {
  return page.evaluate<number>('Math.max(0, ...longTasks.splice(0))')
}

/** Clicks the frame of that depth on the widest path. */
function zoom(depth: number): string {
  return `const frames = [...document.querySelectorAll('.frame:not(.fade):not(.box)')]
    frames[${depth}].dispatchEvent(new MouseEvent('click', { bubbles: true }))`
}

const UNDO = 'history.back()'

function key(name: string): string {
  return `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${name}', bubbles: true }))`
}

/** Enter searches at once, without the pause after typing; with Ctrl the text becomes a chip. */
function search(text: string, isFilter = false): string {
  return `const input = document.querySelector('input[type=search]')
  input.value = ${JSON.stringify(text)}
  input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: ${isFilter}, bubbles: true }))`
}

/** Time from an action to the frame after the worker's answer to it is on the screen. */
async function timeAction(page: Page, action: string): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve, reject) => requestAnimationFrame(() => {
    performance.clearMarks('emberscope-answered')
    const start = performance.now()
    const watch = new PerformanceObserver((list) => {
      if (list.getEntriesByName('emberscope-answered').length === 0) return
      watch.disconnect()
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start), 0))
    })
    watch.observe({ type: 'mark' })
    setTimeout(() => reject(new Error('no answer within 20 s to ' + ${JSON.stringify(action)})), 20000)
    ${action}
  }))`)
}

interface HeapUsage {
  readonly usedSize: number
  readonly backingStorageSize?: number
}

/** Page and worker; typed arrays live outside the JavaScript heap, in backing stores. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  const bytes = ({ usedSize, backingStorageSize = 0 }: HeapUsage): number => usedSize + backingStorageSize
  const ofPage = (await session.send('Runtime.getHeapUsage')) as HeapUsage
  const attached = new Promise<string>((done) =>
    session.once('Target.attachedToTarget', ({ sessionId }) => done(sessionId)),
  )
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  })
  const sessionId = await attached
  const ask = (id: number, method: string): Promise<HeapUsage> =>
    new Promise((done) => {
      session.on('Target.receivedMessageFromTarget', ({ message }) => {
        const answer = JSON.parse(message) as { id?: number; result: HeapUsage }
        if (answer.id === id) done(answer.result)
      })
      void session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) })
    })
  await ask(1, 'HeapProfiler.collectGarbage')
  return (bytes(ofPage) + bytes(await ask(2, 'Runtime.getHeapUsage'))) / 1e6
}

/** One line a stack node with samples, in pieces: a million of them are more than one string holds. */
function collapsed(profile: Profile): string[] {
  const names = profile.locations.map((_, i) => frameName(profile, i, 0))
  const paths: string[] = []
  const pieces: string[] = []
  let lines: string[] = []
  profile.stacks.parent.forEach((parent, i) => {
    const name = names[profile.stacks.location[i]!]!
    paths[i] = parent < 0 ? name : `${paths[parent]};${name}`
    lines.push(`${paths[i]} ${profile.samples.values[0]![i]}\n`)
    if (lines.length < 20_000) return
    pieces.push(lines.join(''))
    lines = []
  })
  return [...pieces, lines.join('')]
}

async function serveSpeedscope(text: readonly string[]): Promise<{ server: Server; url: string }> {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname)
    if (path === '/profile.txt') return void Readable.from(text).pipe(response)
    response.setHeader('content-type', types[extname(path)] ?? 'application/octet-stream')
    createReadStream(join(SPEEDSCOPE, path))
      .on('error', () => response.writeHead(404).end())
      .pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  return { server, url: `${origin}/index.html#profileURL=${encodeURIComponent(`${origin}/profile.txt`)}` }
}

/** Time until speedscope has drawn the profile, median of some rounds; null when it has not within two minutes. */
async function measureSpeedscope(profile: Profile, rounds: number): Promise<number | null> {
  const browser = await launch(['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'])
  const { server, url } = await serveSpeedscope(collapsed(profile))
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
    const start = performance.now()
    await page.goto(url)
    // The tab takes the profile's name once it is drawn.
    const isDrawn = await page
      .waitForFunction('/ - speedscope$/.test(document.title)', null, { timeout: 120_000, polling: 20 })
      .then(
        () => true,
        () => false,
      )
    if (isDrawn) times.push(performance.now() - start)
    await page.context().close()
  }
  server.close()
  server.closeAllConnections()
  await browser.close()
  return times.length === 0 ? null : median(times)
}

/** Ten million samples, each with its time, over a hundred thousand stacks. */
function manySamples(): Profile {
  const profile = largeProfile(100_000)
  const rows = 10_000_000
  const stacks = profile.samples.stack
  const stack = new Int32Array(rows)
  const timeNs = new Float64Array(rows)
  const ones = new Float64Array(rows).fill(1)
  for (let row = 0; row < rows; row++) {
    stack[row] = stacks[(row * 7919) % stacks.length]!
    timeNs[row] = row * 1000
  }
  const values = profile.sampleTypes.map(() => ones)
  return { ...profile, samples: { stack, labelSet: new Int32Array(rows).fill(-1), timeNs, values } }
}

/** Stacks of a thousand frames, or a function with a hundred thousand callees. */
function extreme(kind: 'deep' | 'wide'): Profile {
  if (kind === 'deep') {
    const frames = Array.from({ length: 1000 }, (_, i) => `level${i}`)
    return profileOf([
      { frames, count: 10 },
      { frames: frames.slice(0, 500), count: 5 },
    ])
  }
  return profileOf(
    Array.from({ length: 100_000 }, (_, i) => ({ frames: ['main', `leaf${i}`], count: 1 + (i % 5) })),
  )
}

/** Time until the worker's first answer is drawn. */
async function measureOpening(browser: Browser, profile: Profile, folder: string): Promise<number> {
  const path = join(folder, 'opened.html')
  writeFileSync(path, htmlOf(profile))
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(pathToFileURL(path).href)
  // The page's policy lets nobody evaluate text in it, which waiting by an expression would do.
  for (let answered = 0; answered === 0; await page.waitForTimeout(20))
    answered = await page.evaluate<number>("performance.getEntriesByName('emberscope-answered').length")
  const time = await markTime(page, 'answered')
  await page.close()
  return time
}

async function main(): Promise<void> {
  if (noBrowser !== false) return console.log(`skipped: ${noBrowser}`)
  const folder = mkdtempSync(join(tmpdir(), 'emberscope-bench-'))
  const browser = await launch()
  const row = (what: string, figure: string, goal: string): void =>
    console.log(`${what.padEnd(34)}${figure.padStart(12)}   ${goal}`)
  console.log(
    `load of the machine ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}; medians of ${ROUNDS} rounds`,
  )
  console.log(
    'first paint: from the navigation, of the preview; actions: from the event until the frame with the answer was handed to ' +
      'the compositor, each right after the one before, whose table may still be under way',
  )
  const beside = (what: string, ours: number, theirs: number | null, goal: string): void => {
    const peer =
      theirs === null
        ? 'speedscope: not within 120 s'
        : `speedscope ${theirs.toFixed(0)} ms: ${(theirs / ours).toFixed(1)} times`
    row(what, `${ours.toFixed(0)} ms`, `${peer} ${goal}`)
  }
  const assets = pageAssets()
  const code = gzipSync(assets.script + assets.worker + assets.style + assets.notices).length / 1000
  const large = await measurePage(browser, largeProfile(1_000_000), folder)
  row('1 M nodes: first paint', `${large.paintMs.toFixed(0)} ms`, 'goal <= 500 ms')
  row('1 M nodes: worker answers', `${large.answerMs.toFixed(0)} ms`, '')
  row('1 M nodes: longest task, start', `${large.startTaskMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: longest task, actions', `${large.actionTaskMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: filter, only', `${large.onlyMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: filter, hide', `${large.hideMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: zoom', `${large.zoomMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: search', `${large.searchMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: heap', `${large.heapMB.toFixed(0)} MB`, 'goal <= 300 MB')
  row('1 M nodes: file', `${large.fileMB.toFixed(1)} MB`, '')
  row('page without data, gzip', `${code.toFixed(0)} kB`, 'goal <= 150 kB')
  for (const kind of ['deep', 'wide'] as const) {
    const what = kind === 'deep' ? '1 000 frames deep' : '100 000 callees wide'
    row(`${what}: opens`, `${(await measureOpening(browser, extreme(kind), folder)).toFixed(0)} ms`, '')
  }
  row('10 M samples: opens', `${(await measureOpening(browser, manySamples(), folder)).toFixed(0)} ms`, '')
  const peerProfile = largeProfile(PEER_NODES)
  const ours = await measurePage(browser, peerProfile, folder)
  await browser.close()
  beside('100 k nodes: first paint', ours.paintMs, await measureSpeedscope(peerProfile, 3), '')
  const most = await measureSpeedscope(largeProfile(1_000_000), 1)
  beside('1 M nodes: first paint', large.paintMs, most, 'goal 20 times')
  rmSync(folder, { recursive: true, force: true })
}

await main()
