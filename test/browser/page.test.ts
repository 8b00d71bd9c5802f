/** The page of a profile in a real browser: opening, searching, zooming, reading, by pointer and by keys. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { servePage } from '../../src/server/page-server.ts'
import { shareText, tableOf, totalOf } from '../helpers/plain-table.ts'
import { nodeServerProfile, profileOf } from '../helpers/sample-profile.ts'
import {
  frames,
  framesSaid,
  htmlOf,
  launch,
  noBrowser,
  openHtml,
  openProfile,
  tableDrawn,
  until,
} from './chromium.ts'

const status = (page: Page): Promise<string | null> => page.textContent('.status')
const crumbs = (page: Page): Promise<string[]> =>
  page.$$eval('.crumbs li', (items) => items.map((item) => item.textContent ?? ''))
const crumbIs = async (page: Page, name: string): Promise<void> => {
  await page.waitForSelector(`.crumbs li:last-child:has-text("${name}")`)
  await framesSaid(page)
}

describe('the page', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  test('opens from a file without an error and without any request', async () => {
    const { page, troubles } = await openProfile(browser, nodeServerProfile())
    assert.deepEqual(troubles, [])
    assert.match((await page.textContent('header'))!, /node.*pid 4242 · 10\.0\u202fs · 99\u202fHz/)
    assert.ok((await frames(page)).length > 30)
    assert.equal(await page.title(), 'node · Emberscope')
    assert.equal(await page.isVisible('.band'), false, 'a profile without times has no time band')
    await page.close()
  })

  test('is served under its token as the same page', async () => {
    const server = await servePage(htmlOf(nodeServerProfile()))
    const page = await browser.newPage()
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(server.url)
    await tableDrawn(page)
    assert.deepEqual(
      requests.filter((to) => !to.startsWith('blob:')),
      [server.url],
    )
    await page.close()
    await server.close()
  })

  test('shows the numbers of the profile in its table, all rows of it', async () => {
    const profile = nodeServerProfile()
    const [total, expected] = [totalOf(profile), tableOf(profile)]
    const { page } = await openProfile(browser, profile)
    const seen = new Map<string, string[]>()
    for (let scrolls = 0; seen.size < expected.size && scrolls < 40; scrolls++) {
      const rows = await page.$$eval('tr[data-index]:not(.waiting)', (all) =>
        all.map((row) => [
          row.querySelector('.row-name')!.getAttribute('title')!,
          row.children[1]!.firstChild!.textContent!,
          row.children[2]!.textContent!,
        ]),
      )
      for (const [name, ...shares] of rows) seen.set(name!, shares)
      await page.$eval('.table-scroll', (scroller) => scroller.scrollBy(0, 400))
      await page.waitForTimeout(60)
    }
    assert.deepEqual([...seen.keys()].sort(), [...expected.keys()].sort())
    for (const [name, shares] of seen) {
      const want = expected.get(name)!
      assert.deepEqual(shares, [shareText(want.self, total), shareText(want.total, total)], name)
    }
    await page.click('.sort:text("total")')
    await page.waitForSelector('th[aria-sort=descending]:has-text("total")')
    assert.equal(await page.textContent('.row-name'), '_start')
    await page.click('.sort:text("total")')
    await page.waitForSelector('th[aria-sort=ascending]:has-text("total")')
    await page.close()
  })

  test('finds text and expressions, with the share counted once', async () => {
    const profile = nodeServerProfile()
    const { page } = await openProfile(browser, profile)
    await page.keyboard.press('/')
    await page.keyboard.type('/parse|decode/')
    await page.waitForSelector('.frame.found')
    const want = shareText(tableOf(profile).get('decodeBody')!.total, totalOf(profile))
    assert.ok((await status(page))!.startsWith(want), `${await status(page)} is not ${want}`)
    assert.match((await status(page))!, /±\u202f\d\.\d · 6 places/)
    await page.keyboard.press('Enter')
    await page.waitForSelector('.status:has-text("1 of 6 places")')
    assert.equal(await page.$$eval('.frame.current', (all) => all.length), 1)
    await page.waitForTimeout(450)
    await page.keyboard.press('Shift+Enter')
    await page.waitForSelector('.status:has-text("6 of 6 places")')
    await page.fill('input[type=search]', '/(/')
    await page.waitForSelector('.status.problem')
    assert.match((await status(page))!, /not a regular expression/i)
    await page.fill('input[type=search]', 'no such thing')
    await page.waitForSelector('.status:has-text("no function matches")')
    assert.match((await page.textContent('.table-note'))!, /No function matches/)
    await page.keyboard.press('Escape')
    await page.waitForSelector('.status:empty', { state: 'attached' })
    await page.close()
  })

  test('walks the places by n and N with the focus on each', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.fill('input[type=search]', '"parseJson"')
    await page.waitForSelector('.status:has-text("1 place")')
    await page.evaluate('document.activeElement.blur()')
    await page.keyboard.press('n')
    await until(page, "document.activeElement.getAttribute('aria-label')?.startsWith('parseJson,')")
    await page.close()
  })

  test('zooms, re-prunes from the whole tree, and comes back by crumbs, Escape and 0', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    const small = async (): Promise<number> =>
      (await frames(page)).filter((frame) => frame.label.startsWith('v8::internal::Runtime_')).length
    const before = await small()
    await page.click('.frame[aria-label^="parseJson,"]')
    await crumbIs(page, 'parseJson')
    assert.ok(
      (await frames(page)).some(
        ({ className, label }) => className.includes('fade') && label.startsWith('handleRequest'),
      ),
    )
    assert.ok((await small()) > before, 'no small frame appeared')
    await page.click('.frame[aria-label^="JSON.parse,"]')
    await crumbIs(page, 'JSON.parse')
    await page.keyboard.press('Escape')
    await crumbIs(page, 'parseJson')
    await page.click('.crumb:text("handleRequest")')
    await crumbIs(page, 'handleRequest')
    await page.keyboard.press('0')
    await crumbIs(page, 'all')
    assert.deepEqual(await crumbs(page), ['all'])
    await page.close()
  })

  test('moves between frames by keys and says them', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key)
    const label = await page.evaluate<string>("document.activeElement.getAttribute('aria-label')")
    assert.match(label, /^start_thread, 10\.7\u202f%, self 0\.0\u202f%, 1 callee$/)
    assert.match((await page.textContent('.strip'))!, /start_thread/)
    await page.keyboard.press('Enter')
    await crumbIs(page, 'start_thread')
    await until(page, "document.activeElement.getAttribute('aria-label')?.startsWith('start_thread')")
    await page.keyboard.press('Backspace')
    await crumbIs(page, 'all')
    await page.keyboard.press('k')
    await page.keyboard.press('?')
    await page.waitForSelector('dialog[open]')
    assert.match((await page.textContent('dialog pre'))!, /d3-flame-graph 5\.0\.0/)
    await page.keyboard.press('Escape')
    assert.equal(await page.$('dialog[open]'), null)
    await page.close()
  })

  test('walks the table by keys, further than what is in the document', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.keyboard.press('t')
    await page.waitForSelector('main[data-view=table]')
    await until(page, "document.activeElement.classList.contains('row-name')")
    for (let i = 0; i < 3; i++) await page.keyboard.press('PageDown')
    const row = (): Promise<number> =>
      page.evaluate("Number(document.activeElement.closest('tr').dataset.index)")
    const down = await row()
    assert.ok(down > 40, `at row ${down}`)
    await page.keyboard.press('End')
    await until(page, "document.activeElement.closest('tr')?.dataset.index > 0")
    const rows = await page.$eval('table', (table) => Number(table.getAttribute('aria-rowcount')))
    assert.equal(await row(), rows - 2)
    await page.keyboard.press('Home')
    assert.equal(await row(), 0)
    await page.close()
  })

  test('shows what is too narrow as boxes that can be clicked', async () => {
    const light = Array.from({ length: 100 }, (_, i) => ({
      frames: ['main', 'side', `light_${i}`],
      count: 1,
    }))
    const { page } = await openProfile(
      browser,
      profileOf([{ frames: ['main', 'heavy'], count: 9900 }, ...light]),
    )
    const boxes = await page.$$eval('.frame.box', (all) => all.map((box) => box.getAttribute('aria-label')))
    assert.deepEqual(boxes, ['+100 small · 1.0\u202f%, too narrow to draw'])
    await page.click('.frame.box')
    await crumbIs(page, 'side')
    assert.equal((await frames(page)).filter((frame) => frame.label.startsWith('light_')).length, 100)
    assert.doesNotMatch((await page.textContent('#app'))!, /\bother\b/)
    await page.close()
  })

  test('shows matches that are too narrow to draw as ticks that lead to them', async () => {
    const light = Array.from({ length: 3000 }, (_, i) => ({
      frames: ['main', 'side', `light_${i}`],
      count: 1,
    }))
    const { page } = await openProfile(
      browser,
      profileOf([{ frames: ['main', 'heavy'], count: 99_000 }, ...light]),
    )
    await page.fill('input[type=search]', 'light_2999')
    await page.waitForSelector('.status:has-text("1 place")')
    assert.equal(await page.$('.frame.found'), null)
    await page.click('.ticks rect')
    await crumbIs(page, 'side')
    await page.close()
  })

  test('follows the system into the dark and can be switched', async () => {
    const { page } = await openProfile(browser, nodeServerProfile(), { colorScheme: 'dark' })
    const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert.equal(await background(), 'rgb(22, 21, 19)')
    await page.click('[aria-label="Switch between light and dark"]')
    assert.equal(await background(), 'rgb(251, 250, 248)')
    await page.close()
  })

  test('holds 28 rows of frames and 20 of the table at 1440 x 900', async () => {
    const deep = Array.from({ length: 60 }, (_, i) => `f${i}`)
    const many = Array.from({ length: 60 }, (_, i) => ({ frames: ['main', `g${i}`], count: 1 }))
    const { page } = await openProfile(browser, profileOf([{ frames: deep, count: 400 }, ...many]))
    const whole = (selector: string, within: string): Promise<number> =>
      page.evaluate(`(() => {
        const { top, bottom } = document.querySelector('${within}').getBoundingClientRect()
        const tops = [...document.querySelectorAll('${selector}')].map((e) => e.getBoundingClientRect())
        return new Set(tops.filter((r) => r.top >= top && r.bottom <= bottom + 1).map((r) => r.top)).size
      })()`)
    assert.ok((await whole('.frame', '.flame-scroll')) >= 28)
    assert.ok((await whole('tr[data-index]', '.table-scroll')) >= 20)
    await page.close()
  })

  test('cuts labels so that they stay on their frames', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    const over = await page.evaluate<string[]>(`(() => {
      const frames = [...document.querySelectorAll('.frame')].map((e) => e.getBoundingClientRect())
      return [...document.querySelectorAll('.labels text')].filter((text) => {
        const { left, right, top, bottom } = text.getBoundingClientRect()
        const middle = (top + bottom) / 2
        return !frames.some((f) => f.left <= left && f.right >= right && f.top <= middle && f.bottom >= middle)
      }).map((text) => text.textContent)
    })()`)
    assert.deepEqual(over, [])
    assert.ok((await page.$$('.labels text')).length > 20)
    await page.close()
  })

  test('gives way by width: the table below, then only search, graph and details', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    const top = (selector: string): Promise<number> =>
      page.$eval(selector, (element) => element.getBoundingClientRect().top)
    assert.equal(await top('.functions'), await top('.flame'))
    await page.setViewportSize({ width: 1000, height: 800 })
    assert.ok((await top('.functions')) > (await top('.flame')))
    await page.setViewportSize({ width: 400, height: 800 })
    assert.equal(await page.isVisible('.functions'), false)
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 400)
    await until(page, "document.querySelector('.flame svg[role=tree]').getBoundingClientRect().right <= 400")
    await page.close()
  })

  test('says what is empty and what is broken', async () => {
    const { page, troubles } = await openProfile(browser, profileOf([]))
    assert.match((await page.textContent('.flame-empty'))!, /No samples/)
    assert.equal(await page.isVisible('.flame-empty'), true)
    assert.deepEqual(troubles, [])
    await page.close()
    const broken = await openHtml(
      browser,
      htmlOf(nodeServerProfile()).replace(/(emberscope-profile">.{200})..../, '$1AAAA'),
    )
    await broken.page.waitForSelector('.state[role=alert]')
    assert.match((await broken.page.textContent('.state[role=alert]'))!, /cannot be shown.*damaged/)
    await broken.page.close()
  })
})

describe('the page with extreme trees', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  test('draws a stack of 3 000 frames, cut at 1 000 rows, and goes on below', async () => {
    const deep = Array.from({ length: 3000 }, (_, i) => `f${i}`)
    const { page, troubles } = await openProfile(browser, profileOf([{ frames: deep, count: 4 }]))
    assert.match((await page.textContent('.flame-note'))!, /go on below the lowest row/)
    for (const name of ['f999', 'f1999']) {
      await page.dispatchEvent('.frame.box', 'click')
      await crumbIs(page, name)
    }
    assert.ok((await frames(page)).some((frame) => frame.label.startsWith('f2999,')))
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('leads from 100 000 siblings to a single one', async () => {
    const crowd = Array.from({ length: 100_000 }, (_, i) => ({ frames: [`f${i}`], count: 1 }))
    const { page, troubles } = await openProfile(browser, profileOf(crowd))
    for (let clicks = 0; clicks < 2; clicks++) {
      const drawn = await frames(page)
      assert.ok(drawn.length >= 30 && drawn.length <= 1200, `${drawn.length} drawn`)
      const before = (await crumbs(page)).at(-1)!
      await page.click('.frame.box >> nth=3')
      await until(page, `document.querySelector('.crumbs li:last-child').textContent !== '${before}'`)
    }
    assert.ok((await frames(page)).some((frame) => /^f\d+, <\u202f0\.1\u202f%/.test(frame.label)))
    assert.match((await crumbs(page)).at(-1)!, /small$/)
    assert.deepEqual(troubles, [])
    await page.close()
  })
})
