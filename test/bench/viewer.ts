/**
 * The page against its goals and against speedscope, in one run of a real browser: how soon a large profile is seen,
 * how fast zoom and search answer, what the page costs. Figures are medians; the goal stands beside each.
 *
 * speedscope gets the same tree as collapsed text, of a size it copes with; ratios compare the same size only.
 */
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { frameName } from '../../src/model/frame-name.ts'
import type { Profile } from '../../src/model/profile.ts'
import { pageAssets } from '../../src/server/page-assets.ts'
import { htmlOf, launch, noBrowser, tableDrawn } from '../browser/chromium.ts'
import { largeProfile } from '../helpers/sample-profile.ts'

const ROUNDS = 5
/** speedscope needs 400 MB of text for a million nodes, and 15 s; a tenth shows the ratio as well. */
const PEER_NODES = 100_000
const SPEEDSCOPE = join(import.meta.dirname, '../../../node_modules/speedscope/dist/release')

interface Figures {
  readonly paintMs: number
  readonly zoomMs: number
  readonly searchMs: number
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
  for (let i = 0; i < ROUNDS; i++) {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    await page.goto(pathToFileURL(path).href)
    await tableDrawn(page)
    const paintMs = await page.evaluate<number>(
      "performance.getEntriesByName('emberscope-painted')[0].startTime",
    )
    const zooms: number[] = []
    for (let z = 0; z < 4; z++) {
      zooms.push(await timeAction(page, ZOOM, '.path'))
      await page.keyboard.press('0')
      await page.waitForSelector('.crumbs li:first-child:last-child')
    }
    const searchMs = await timeAction(page, SEARCH, '.status')
    rounds.push({ paintMs, zoomMs: median(zooms), searchMs, heapMB: await heapOf(page) })
    await context.close()
  }
  const of = (key: keyof Omit<Figures, 'fileMB'>): number => median(rounds.map((round) => round[key]))
  const fileMB = statSync(path).size / 1e6
  return {
    paintMs: of('paintMs'),
    zoomMs: of('zoomMs'),
    searchMs: of('searchMs'),
    heapMB: of('heapMB'),
    fileMB,
  }
}

/** Clicks the widest frame that can be zoomed to. */
const ZOOM = `const g = document.querySelector('g.frame[aria-level="2"]:not(.box)')
  g.dispatchEvent(new MouseEvent('click', { bubbles: true }))`

/** Enter searches at once, without the pause after typing. */
const SEARCH = `const input = document.querySelector('input[type=search]')
  input.value = '/operation_1\\\\d*7/'
  input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))`

/** Time from an action to the frame in which its answer is on the screen: the one after `answer` changed. */
function timeAction(page: Page, action: string, answer: string): Promise<number> {
  return page.evaluate<number>(`new Promise((resolve) => requestAnimationFrame(() => {
    const start = performance.now()
    new MutationObserver((_, observer) => {
      observer.disconnect()
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start), 0))
    }).observe(document.querySelector('${answer}'), { childList: true, subtree: true })
    ${action}
  }))`)
}

async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  // Typed arrays live outside the JavaScript heap, in backing stores.
  const usage = (await session.send('Runtime.getHeapUsage')) as {
    usedSize: number
    backingStorageSize?: number
  }
  return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 1e6
}

/** One line a stack node with samples. */
function collapsed(profile: Profile): string {
  const names = profile.locations.map((_, i) => frameName(profile, i, 0))
  const paths: string[] = []
  const lines: string[] = []
  profile.stacks.parent.forEach((parent, i) => {
    const name = names[profile.stacks.location[i]!]!
    paths[i] = parent < 0 ? name : `${paths[parent]};${name}`
    lines.push(`${paths[i]} ${profile.samples.values[0]![i]}`)
  })
  return lines.join('\n')
}

async function serveSpeedscope(text: string): Promise<{ server: Server; url: string }> {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://x').pathname)
    if (path === '/profile.txt') return void response.end(text)
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

async function measureSpeedscope(profile: Profile): Promise<number> {
  const browser = await launch(['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'])
  const { server, url } = await serveSpeedscope(collapsed(profile))
  const times: number[] = []
  for (let i = 0; i < 3; i++) {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
    const start = performance.now()
    await page.goto(url)
    // The tab takes the profile's name once it is drawn.
    while (!/ - speedscope$/.test(await page.title())) await page.waitForTimeout(5)
    times.push(performance.now() - start)
    await page.context().close()
  }
  server.close()
  server.closeAllConnections()
  await browser.close()
  return median(times)
}

async function main(): Promise<void> {
  if (noBrowser !== false) return console.log(`skipped: ${noBrowser}`)
  const folder = mkdtempSync(join(tmpdir(), 'emberscope-bench-'))
  const browser = await launch()
  const row = (what: string, figure: string, goal: string): void =>
    console.log(`${what.padEnd(34)}${figure.padStart(12)}   ${goal}`)
  const assets = pageAssets()
  const code = gzipSync(assets.script + assets.style + assets.notices).length / 1000
  const large = await measurePage(browser, largeProfile(1_000_000), folder)
  row('1 M nodes: first paint', `${large.paintMs.toFixed(0)} ms`, 'goal <= 500 ms')
  row('1 M nodes: zoom', `${large.zoomMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: search', `${large.searchMs.toFixed(0)} ms`, 'goal <= 100 ms')
  row('1 M nodes: heap', `${large.heapMB.toFixed(0)} MB`, 'goal <= 300 MB')
  row('1 M nodes: file', `${large.fileMB.toFixed(1)} MB`, '')
  row('page without data, gzip', `${code.toFixed(0)} kB`, 'goal <= 150 kB')
  const peerProfile = largeProfile(PEER_NODES)
  const ours = await measurePage(browser, peerProfile, folder)
  await browser.close()
  const theirs = await measureSpeedscope(peerProfile)
  row(
    '100 k nodes: first paint',
    `${ours.paintMs.toFixed(0)} ms`,
    `speedscope ${theirs.toFixed(0)} ms: ${(theirs / ours.paintMs).toFixed(1)} times`,
  )
  rmSync(folder, { recursive: true, force: true })
}

await main()
