/** The system's Chromium for the browser tests and benches: fresh each time, without any network of its own. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { writeHtml } from '../../src/formats/html.ts'
import type { Profile } from '../../src/model/profile.ts'
import { pageAssets } from '../../src/server/page-assets.ts'

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Why the browser tests cannot run here, or false. */
export const noBrowser: string | false = existsSync(EXECUTABLE)
  ? false
  : `no browser at ${EXECUTABLE} (set CHROMIUM)`

/** A browser with an empty profile directory of its own. */
export function launch(extraFlags: readonly string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: [...FLAGS, ...extraFlags] })
}

/** A page that was opened, and what went wrong in it or left it. */
export interface OpenedPage {
  readonly page: Page
  /** Console errors, exceptions and requests for anything but the file itself. */
  readonly troubles: readonly string[]
}

/** Opens a page from a file and waits until it is drawn, or says why it cannot be. */
export async function openHtml(
  browser: Browser,
  html: string,
  options: BrowserContextOptions = {},
  hash = '',
): Promise<OpenedPage> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('console', (message) => message.type() === 'error' && troubles.push(`console: ${message.text()}`))
  page.on('pageerror', (error) => troubles.push(`exception: ${error.message}`))
  const folder = mkdtempSync(join(tmpdir(), 'emberscope-page-'))
  const url = pathToFileURL(join(folder, 'page.html')).href
  // A link into the same file is no request; the page's own worker and downloads are blobs.
  page.on('request', (request) => {
    const to = request.url()
    if (to.split('#')[0] !== url && !/^(blob|data):/.test(to)) troubles.push(`request: ${to}`)
  })
  page.on('close', () => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'page.html'), html)
  await page.goto(url + hash)
  await page.waitForFunction(() => performance.getEntriesByType('mark').length > 0)
  return { page, troubles }
}

/** Opens the page of a profile and waits for the table too. */
export async function openProfile(
  browser: Browser,
  profile: Profile,
  options: BrowserContextOptions = {},
  hash = '',
): Promise<OpenedPage> {
  const opened = await openHtml(browser, htmlOf(profile), options, hash)
  await tableDrawn(opened.page)
  return opened
}

/** Waits for the rows of the table, or for what it says instead. */
export async function tableDrawn(page: Page): Promise<void> {
  await page.waitForSelector('.row-name, .table-note:not([hidden])', { state: 'attached' })
}

/** What axe-core has against the page as it is, one line a rule. The page must have been opened with `bypassCSP`. */
export async function axeViolations(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.addScriptTag({ path: AXE })
  return page.evaluate<string[]>(`axe.run().then(({ violations }) =>
    violations.map((v) => v.id + ': ' + v.nodes.map((node) => node.html.slice(0, 200)).slice(0, 3).join(' ')))`)
}

/** The page of a profile as text, with the assets of this build. */
export function htmlOf(profile: Profile): string {
  return writeHtml(profile, pageAssets(), (bytes) => gzipSync(bytes))
}

/** Waits until the frames that are drawn are told to a screen reader too: their words follow the paint. */
export async function framesSaid(page: Page): Promise<void> {
  await page.waitForSelector('svg[aria-busy]', { state: 'detached' })
}

/** What a helper in the page sees of a drawn frame. */
export async function frames(page: Page): Promise<{ label: string; className: string }[]> {
  await framesSaid(page)
  return page.$$eval('.frame', (groups) =>
    groups.map((group) => ({
      label: group.getAttribute('aria-label') ?? '',
      className: group.getAttribute('class') ?? '',
    })),
  )
}

/** Waits until an expression is true in the page, whose policy forbids the usual way (it compiles text). */
export async function until(page: Page, expression: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await page.evaluate<boolean>(`!!(${expression})`)) return
    await page.waitForTimeout(50)
  }
  throw new Error(`never true in the page: ${expression}`)
}
