/** The page under fingers: a tap zooms, a long press opens the menu, which stays when the finger leaves. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { nodeServerProfile } from '../helpers/sample-profile.ts'
import { launch, noBrowser, openProfile } from './chromium.ts'

const PHONE = { viewport: { width: 400, height: 800 }, hasTouch: true, isMobile: true }
const LONG_MS = 900

interface Finger {
  readonly down: (x: number, y: number) => Promise<unknown>
  readonly move: (x: number, y: number) => Promise<unknown>
  readonly up: () => Promise<unknown>
}

/** One finger, as the browser gets it from a touch screen. */
async function fingerOf(page: Page): Promise<Finger> {
  const session = await page.context().newCDPSession(page)
  const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints })
  return {
    down: (x, y) => send('touchStart', [{ x, y }]),
    move: (x, y) => send('touchMove', [{ x, y }]),
    up: () => send('touchEnd', []),
  }
}

async function middleOf(page: Page, selector: string): Promise<[x: number, y: number]> {
  const box = (await (await page.waitForSelector(selector)).boundingBox())!
  return [box.x + box.width / 2, box.y + box.height / 2]
}

describe('touch', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  const FRAME = '.frame[aria-label^="handleRequest,"]'

  test('a long press on a frame opens its menu, which stays and works when the finger has left', async () => {
    const { page, troubles } = await openProfile(browser, nodeServerProfile(), PHONE)
    const finger = await fingerOf(page)
    await finger.down(...(await middleOf(page, FRAME)))
    await page.waitForSelector('[role=menu][aria-label*="handleRequest"]')
    await page.waitForTimeout(LONG_MS)
    await finger.up()
    await page.waitForTimeout(300)
    assert.equal(await page.isVisible('[role=menu]'), true, 'it is gone with the finger')
    assert.equal(await page.evaluate<string>('location.hash'), '', 'the press zoomed as well')
    const item = await middleOf(page, '[role=menuitem]:has-text("Only stacks through it")')
    await finger.down(...item)
    await finger.up()
    await page.waitForSelector('.chip:has-text("only handleRequest")')
    assert.equal(await page.$('[role=menu]'), null)
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('a tap beside the menu closes it, as Escape does', async () => {
    const { page } = await openProfile(browser, nodeServerProfile(), PHONE)
    const finger = await fingerOf(page)
    const place = await middleOf(page, FRAME)
    await finger.down(...place)
    await page.waitForSelector('[role=menu]')
    await page.waitForTimeout(LONG_MS)
    await finger.up()
    await page.waitForTimeout(300)
    await finger.down(200, 790)
    await finger.up()
    await page.waitForSelector('[role=menu]', { state: 'detached' })
    await finger.down(...place)
    await page.waitForSelector('[role=menu]')
    await finger.up()
    await page.keyboard.press('Escape')
    await page.waitForSelector('[role=menu]', { state: 'detached' })
    await page.close()
  })

  test('a tap zooms at once, and a finger that moves away opens nothing', async () => {
    const { page } = await openProfile(browser, nodeServerProfile(), PHONE)
    const finger = await fingerOf(page)
    const [x, y] = await middleOf(page, FRAME)
    await finger.down(x, y)
    await finger.move(x, y - 60)
    await page.waitForTimeout(LONG_MS)
    assert.equal(await page.$('[role=menu]'), null)
    await finger.up()
    await finger.down(...(await middleOf(page, FRAME)))
    await finger.up()
    await page.waitForSelector('.crumbs li:last-child:has-text("handleRequest")', { state: 'attached' })
    await page.close()
  })
})
