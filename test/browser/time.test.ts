/** The time band: a range by dragging and by keys, the baseline, the heatmap, the window that stands out. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { timedProfile } from '../helpers/timed-profile.ts'
import { frames, launch, noBrowser, openProfile, until } from './chromium.ts'

const chosen = (page: Page): Promise<string | null> => page.textContent('.chosen-text')
const has = async (page: Page, name: string): Promise<boolean> =>
  (await frames(page)).some(({ label }) => label.startsWith(`${name},`))

/** Drags over the band from one part of its length to another. */
async function drag(page: Page, from: number, to: number, key: 'Alt' | null = null): Promise<void> {
  const box = (await page.locator('.brush').boundingBox())!
  const y = box.y + box.height / 2
  if (key !== null) await page.keyboard.down(key)
  await page.mouse.move(box.x + box.width * from, y)
  await page.mouse.down()
  await page.mouse.move(box.x + (box.width * (from + to)) / 2, y)
  await page.mouse.move(box.x + box.width * to, y)
  await page.mouse.up()
  if (key !== null) await page.keyboard.up(key)
}

describe('the time band', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  test('a drag shows only that time, a click all of it again', async () => {
    const { page, troubles } = await openProfile(browser, timedProfile())
    await page.waitForSelector('.band .legend li:has-text("GC")')
    await drag(page, 0.02, 0.5)
    await page.waitForSelector('.chosen-text:has-text("selected 0.1–2.5")')
    await page.waitForSelector('.frame[aria-label^="scan,"]', { state: 'detached' })
    await page.mouse.click(1000, (await page.locator('.brush').boundingBox())!.y + 10)
    await page.waitForSelector('.frame[aria-label^="scan,"]')
    assert.equal(await chosen(page), '')
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('its handles are moved by keys, Shift for more', async () => {
    const { page } = await openProfile(browser, timedProfile())
    await page.waitForSelector('.band .legend li')
    await page.focus('[role=slider][aria-label^="Start"]')
    for (let i = 0; i < 6; i++) await page.keyboard.press('Shift+ArrowRight')
    await page.waitForSelector('.chosen-text:has-text("selected 3.0–5.0")')
    assert.equal(
      await page.getAttribute('[role=slider][aria-label^="Start"]', 'aria-valuetext'),
      '3.0\u202fs',
    )
    await page.focus('[role=slider][aria-label^="End"]')
    await page.keyboard.press('ArrowLeft')
    await until(page, "location.hash.includes('range=3-4.95')")
    await page.keyboard.press('Delete')
    await until(page, "!location.hash.includes('range')")
    await page.close()
  })

  test('Alt and a drag compare with that time', async () => {
    const { page } = await openProfile(browser, timedProfile())
    await page.waitForSelector('.band .legend li')
    await drag(page, 0.62, 0.79)
    await page.waitForSelector('.chosen-text:has-text("selected")')
    await drag(page, 0.1, 0.5, 'Alt')
    await page.waitForSelector('.verdict .sentence')
    assert.match((await page.textContent('.verdict .sentence'))!, /scan|parse/)
    await page.waitForSelector('.frame.grew[aria-label^="scan,"]')
    assert.match((await chosen(page))!, /before 0\.5–2\.5/)
    await page.close()
  })

  test('the heatmap takes the place of the strips, and is dragged over as well', async () => {
    const { page } = await openProfile(browser, timedProfile())
    await page.waitForSelector('.band .legend li')
    await page.keyboard.press('x')
    await page.waitForSelector('.band.heat canvas[aria-label^="Heatmap"]')
    await drag(page, 0.7, 0.72)
    await page.waitForSelector('.chosen-text:has-text("selected 3.")')
    await page.keyboard.press('x')
    await page.waitForSelector('.band:not(.heat)')
    await page.close()
  })

  test('offers the window that stands out, with its reason', async () => {
    const { page } = await openProfile(browser, timedProfile(20))
    await page.waitForSelector('.unusual')
    assert.ok(((await page.textContent('.unusual')) ?? '').length > 10)
    await page.click('.unusual')
    await page.waitForSelector('.chosen-text:has-text("selected")')
    assert.ok(await has(page, 'scan'))
    await page.close()
  })

  test('folds, and stays folded', async () => {
    const { page } = await openProfile(browser, timedProfile())
    await page.click('[aria-label="Time band"]')
    assert.equal(await page.isVisible('.plot'), false)
    await page.click('.frame[aria-label^="serve,"]')
    await page.waitForSelector('.crumbs li:last-child:has-text("serve")')
    assert.equal(await page.isVisible('.plot'), false)
    await page.close()
  })
})
