/** Comparing: a second file, two values of a label, a page that brings both; what changed is told apart from noise. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { writeHtml } from '../../src/formats/html.ts'
import type { Profile } from '../../src/model/profile.ts'
import { encodePprof } from '../../src/pprof/encode.ts'
import { pageAssets } from '../../src/server/page-assets.ts'
import { profileOf } from '../helpers/sample-profile.ts'
import { timedProfile } from '../helpers/timed-profile.ts'
import { launch, noBrowser, openHtml, openProfile, until } from './chromium.ts'

/** Before: a calm program with `old_way`. After: `parse` is three times as heavy, `old_way` is gone. */
const CALM = profileOf([
  { frames: ['main', 'parse'], count: 200 },
  { frames: ['main', 'render'], count: 600 },
  { frames: ['main'], count: 100 },
  { frames: ['main', 'old_way', 'copy'], count: 100 },
])
const SLOW = profileOf([
  { frames: ['main', 'parse'], count: 500 },
  { frames: ['main', 'render'], count: 300 },
  { frames: ['main'], count: 200 },
])

async function isComparing(page: Page): Promise<void> {
  await page.waitForSelector('.verdict .sentence')
  await page.waitForSelector('.frame.grew[aria-label^="parse,"]')
}

describe('a comparison', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  const folder = mkdtempSync(join(tmpdir(), 'emberscope-compare-'))
  const file = (name: string, profile: Profile): string => {
    writeFileSync(join(folder, name), gzipSync(encodePprof(profile)))
    return join(folder, name)
  }
  before(async () => {
    browser = await launch()
  })
  after(async () => {
    await browser?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('begins with a second file, says what changed, and ends where it began', async () => {
    const { page, troubles } = await openProfile(browser, SLOW)
    await page.click('.compare')
    await page.waitForSelector('dialog[open]')
    await page.setInputFiles('dialog input[type=file]', file('before.pb.gz', CALM))
    await isComparing(page)
    const [shrank, ghost] = ['.frame.shrank[aria-label^="render,"]', '.frame.ghost[aria-label^="old_way"]']
    await page.waitForSelector(shrank)
    await page.waitForSelector(ghost)
    assert.match((await page.textContent('.verdict'))!, /before\.pb\.gz/)
    const label = await page.textContent('.labels text:has-text("parse")')
    assert.match(label!, /^\+/, 'the sign stands before the name')
    const head = await page.$$eval('th', (all) => all.map((cell) => cell.textContent))
    assert.deepEqual(head, ['function', 'before', 'after', 'change ▾'])
    const row = await page.textContent('tr[data-index]:has(.row-name[title="parse"])')
    assert.match(row!, /20\.0\u202f%50\.0\u202f%\+30\.0 ±\u202f\d/)
    await page.click('.verdict [aria-label="Stop comparing"]')
    await page.waitForSelector('.frame.grew', { state: 'detached' })
    assert.equal(await page.isVisible('.verdict'), false)
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('shows one side or the other, and all three scales', async () => {
    const html = writeHtml(SLOW, pageAssets(), (bytes) => gzipSync(bytes), CALM)
    const { page, troubles } = await openHtml(browser, html)
    await isComparing(page)
    await page.click('[data-side=before]')
    await page.waitForSelector('.frame[aria-label^="old_way, 10.0"]')
    await page.click('[data-side=after]')
    await page.waitForSelector('.frame[aria-label^="old_way"]', { state: 'detached' })
    await page.keyboard.press('d')
    await until(page, "document.querySelector('[data-side=before]').getAttribute('aria-pressed') === 'true'")
    for (const scale of ['absolute', 'per-second', 'relative']) {
      await page.selectOption('[aria-label="Scale"]', scale)
      await page.waitForTimeout(100)
      assert.equal(await page.inputValue('[aria-label="Scale"]'), scale)
    }
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('of two values of a label needs no file', async () => {
    const { page } = await openProfile(browser, timedProfile())
    await page.click('.compare')
    await page.selectOption('dialog [aria-label="Label"]', 'thread')
    await page.selectOption('dialog [aria-label="Before"]', 'main')
    await page.selectOption('dialog [aria-label="After"]', 'GC')
    await page.click('dialog button:text-is("Compare")')
    await page.waitForSelector('.verdict .sentence')
    await page.waitForSelector('.frame.grew[aria-label^="mark,"]')
    await page.close()
  })

  test('is of nothing but noise when nothing changed', async () => {
    const html = writeHtml(CALM, pageAssets(), (bytes) => gzipSync(bytes), CALM)
    const { page } = await openHtml(browser, html)
    await page.waitForSelector('.verdict .sentence')
    await page.waitForSelector('.frame.noise')
    assert.equal(await page.$('.frame.grew, .frame.shrank, .frame.ghost'), null)
    await page.close()
  })

  test('with a file that is no profile says so, and stays what it was', async () => {
    const { page } = await openProfile(browser, SLOW)
    writeFileSync(join(folder, 'photo.jpg'), Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]))
    await page.click('.compare')
    await page.setInputFiles('dialog input[type=file]', join(folder, 'photo.jpg'))
    await page.waitForSelector('.notice.problem')
    assert.match((await page.textContent('.notice.problem'))!, /photo\.jpg|format/)
    assert.equal(await page.isVisible('.verdict'), false)
    await page.click('[aria-label="Close the message"]')
    await page.close()
  })
})
