/** The system's Chromium for the browser tests and benches: fresh each time, without any network of its own. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { writeHtml } from '../../src/formats/html.ts'
import type { Profile } from '../../src/model/profile.ts'
import { pageAssets } from '../../src/server/page-assets.ts'

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
  page.on('request', (request) => request.url() !== url && troubles.push(`request: ${request.url()}`))
  page.on('close', () => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'page.html'), html)
  await page.goto(url)
  await page.waitForFunction(() => performance.getEntriesByType('mark').length > 0)
  return { page, troubles }
}

/** Opens the page of a profile and waits for the table too. */
export async function openProfile(
  browser: Browser,
  profile: Profile,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const opened = await openHtml(browser, htmlOf(profile), options)
  await opened.page.waitForSelector('tbody tr, .table-note:not([hidden])', { state: 'attached' })
  return opened
}

/** The page of a profile as text, with the assets of this build. */
export function htmlOf(profile: Profile): string {
  return writeHtml(profile, pageAssets(), (bytes) => gzipSync(bytes))
}

/** What a helper in the page sees of a drawn frame. */
export function frames(page: Page): Promise<{ label: string; className: string }[]> {
  return page.$$eval('g.frame', (groups) =>
    groups.map((group) => ({
      label: group.getAttribute('aria-label') ?? '',
      className: group.getAttribute('class') ?? '',
    })),
  )
}
