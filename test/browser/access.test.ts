/** What axe-core has against the page: nothing, in any of its states, light and dark. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { writeHtml } from '../../src/formats/html.ts'
import { pageAssets } from '../../src/server/page-assets.ts'
import { nodeServerProfile } from '../helpers/sample-profile.ts'
import { timedProfile } from '../helpers/timed-profile.ts'
import { axeViolations, launch, noBrowser, openHtml, openProfile } from './chromium.ts'

describe('accessibility', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  for (const colorScheme of ['light', 'dark'] as const) {
    const options = { colorScheme, bypassCSP: true }

    test(`zoomed, searching, filtered, with menu, panel, dialog and drawer in ${colorScheme}`, async () => {
      const { page } = await openProfile(browser, nodeServerProfile(), options)
      const check = async (state: string): Promise<void> =>
        assert.deepEqual(await axeViolations(page), [], state)
      await check('as opened')
      await page.fill('input[type=search]', '/parse|decode/')
      await page.waitForSelector('.frame.found')
      await page.click('.frame[aria-label^="handleRequest,"]')
      await page.waitForSelector('.crumbs li:last-child:has-text("handleRequest")')
      await check('zoomed and searching')
      await page.click('.frame[aria-label^="route,"]', { button: 'right' })
      await check('menu')
      await page.click('[role=menuitem]:has-text("Details")')
      await page.waitForSelector('.drawer h2')
      await check('drawer')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      await check('help')
      await page.keyboard.press('Escape')
      await page.click('.pill >> nth=0')
      await check('quality')
      await page.keyboard.press('Escape')
      await page.click('.export')
      await check('export')
      await page.keyboard.press('Escape')
      await page.click('.compare')
      await check('compare')
      await page.keyboard.press('Escape')
      await page.keyboard.press('t')
      await page.waitForSelector('main[data-view=table]')
      await check('table')
      await page.close()
    })

    test(`with a time band, a heatmap and filters in ${colorScheme}`, async () => {
      const { page } = await openProfile(
        browser,
        timedProfile(),
        options,
        '#chip=hide:nothing&range=1-3&view=sandwich',
      )
      await page.waitForSelector('.band .legend li')
      assert.deepEqual(await axeViolations(page), [], 'band')
      await page.keyboard.press('x')
      await page.waitForSelector('.band.heat')
      assert.deepEqual(await axeViolations(page), [], 'heatmap')
      await page.close()
    })

    test(`comparing, and narrow, in ${colorScheme}`, async () => {
      const html = writeHtml(timedProfile(6), pageAssets(), (bytes) => gzipSync(bytes), timedProfile(20))
      const { page } = await openHtml(browser, html, options)
      await page.waitForSelector('.verdict .sentence')
      await page.waitForSelector('.row-name')
      assert.deepEqual(await axeViolations(page), [], 'comparing')
      await page.setViewportSize({ width: 400, height: 800 })
      await page.waitForTimeout(300)
      assert.deepEqual(await axeViolations(page), [], 'narrow')
      await page.close()
    })
  }
})
