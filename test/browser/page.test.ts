import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { frameName } from '../../src/model/frame-name.ts'
import type { Profile } from '../../src/model/profile.ts'
import { decodePprof } from '../../src/pprof/decode.ts'
import { servePage } from '../../src/server/page-server.ts'
import { nodeServerProfile, profileOf } from '../helpers/sample-profile.ts'
import { frames, htmlOf, launch, noBrowser, openHtml, openProfile } from './chromium.ts'

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Self and total per function in samples, the slow and plain way. */
function tableOf(profile: Profile): Map<string, { self: number; total: number }> {
  const rows = new Map<string, { self: number; total: number }>()
  profile.samples.stack.forEach((leaf, row) => {
    const value = profile.samples.values[0]![row]!
    const path: string[] = []
    for (let at = leaf; at >= 0; at = profile.stacks.parent[at]!) {
      const location = profile.stacks.location[at]!
      const lines = profile.locations[location]!.lines
      if (lines.length === 0) path.push(frameName(profile, location, -1))
      for (let i = 0; i < lines.length; i++) path.push(frameName(profile, location, i))
    }
    for (const name of new Set(path)) {
      const before = rows.get(name) ?? { self: 0, total: 0 }
      rows.set(name, { self: before.self + (name === path[0] ? value : 0), total: before.total + value })
    }
  })
  return rows
}

function shareText(value: number, total: number): string {
  return value > 0 && value / total < 0.0005
    ? '<\u202f0.1\u202f%'
    : `${((value / total) * 100).toFixed(1)}\u202f%`
}

const status = (page: Page): Promise<string | null> => page.textContent('.status')
const crumbs = (page: Page): Promise<string[]> =>
  page.$$eval('.crumbs li', (items) => items.map((item) => item.textContent ?? ''))

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
    await page.close()
  })

  test('is served under its token as the same page', async () => {
    const server = await servePage(htmlOf(nodeServerProfile()))
    const page = await browser.newPage()
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    await page.goto(server.url)
    await page.waitForSelector('tbody tr')
    assert.deepEqual(requests, [server.url])
    await page.close()
    await server.close()
  })

  test('shows the numbers of the profile in its table', async () => {
    const profile = nodeServerProfile()
    const total = profile.samples.values[0]!.reduce((sum, value) => sum + value, 0)
    const expected = tableOf(profile)
    const { page } = await openProfile(browser, profile)
    const rows = await page.$$eval('tbody tr', (all) =>
      all.map((row) => [
        row.querySelector('.row-name')!.getAttribute('title')!,
        row.children[1]!.firstChild!.textContent!,
        row.children[2]!.textContent!,
      ]),
    )
    assert.equal(rows.length, Math.min(200, expected.size))
    for (const [name, self, all] of rows) {
      const want = expected.get(name!)!
      assert.deepEqual([self, all], [shareText(want.self, total), shareText(want.total, total)], name)
    }
    await page.click('.sort:text("total")')
    assert.equal(await page.textContent('tbody tr .row-name'), '_start')
    await page.close()
  })

  test('finds text and expressions, with the share counted once', async () => {
    const profile = nodeServerProfile()
    const { page } = await openProfile(browser, profile)
    await page.keyboard.press('/')
    await page.keyboard.type('/parse|decode/')
    await page.waitForSelector('g.found')
    const total = profile.samples.values[0]!.reduce((sum, value) => sum + value, 0)
    const want = shareText(tableOf(profile).get('decodeBody')!.total, total)
    assert.ok((await status(page))!.startsWith(want), `${await status(page)} is not ${want}`)
    assert.match((await status(page))!, /±\u202f\d\.\d · 6 places/)
    await page.keyboard.press('Enter')
    assert.match((await status(page))!, /1 of 6 places/)
    assert.equal(await page.$$eval('g.current', (all) => all.length), 1)
    await page.fill('input', '/(/')
    await page.waitForSelector('.status.problem')
    assert.match((await status(page))!, /not a regular expression/)
    await page.fill('input', 'no such thing')
    await page.waitForSelector('.status:has-text("no function matches")')
    await page.keyboard.press('Escape')
    assert.equal(await status(page), '')
    await page.close()
  })

  test('zooms, re-prunes from the whole tree, and comes back by crumbs, Escape and 0', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    const before = (await frames(page)).filter((frame) =>
      frame.label.startsWith('v8::internal::Runtime_'),
    ).length
    await page.click('g.frame[aria-label^="parseJson,"]')
    assert.equal((await crumbs(page)).at(-1), 'parseJson')
    const zoomed = await frames(page)
    assert.ok(
      zoomed.some((frame) => frame.className.includes('fade') && frame.label.startsWith('handleRequest')),
    )
    assert.ok(
      zoomed.filter((frame) => frame.label.startsWith('v8::internal::Runtime_')).length > before,
      'no small frame appeared',
    )
    await page.click('g.frame[aria-label^="JSON.parse,"]')
    await page.keyboard.press('Escape')
    assert.equal((await crumbs(page)).at(-1), 'parseJson')
    await page.click('.crumb:text("handleRequest")')
    assert.equal((await crumbs(page)).at(-1), 'handleRequest')
    await page.keyboard.press('0')
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
    assert.equal((await crumbs(page)).at(-1), 'start_thread')
    await page.keyboard.press('Backspace')
    assert.deepEqual(await crumbs(page), ['all'])
    await page.keyboard.press('?')
    await page.waitForSelector('dialog[open]')
    assert.match((await page.textContent('dialog pre'))!, /d3-flame-graph 5\.0\.0/)
    await page.keyboard.press('Escape')
    assert.equal(await page.$('dialog[open]'), null)
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
    const boxes = await page.$$eval('g.box', (all) => all.map((box) => box.getAttribute('aria-label')))
    assert.deepEqual(boxes, ['+100 small · 1.0\u202f%, too narrow to draw'])
    await page.click('g.box')
    assert.equal((await crumbs(page)).at(-1), 'side')
    assert.equal((await frames(page)).filter((frame) => frame.label.startsWith('light_')).length, 100)
    assert.doesNotMatch((await page.textContent('#app'))!, /\bother\b/)
    await page.close()
  })

  test('downloads the same profile as pprof', async () => {
    const profile = nodeServerProfile()
    const { page } = await openProfile(browser, profile)
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('.download')])
    assert.equal(download.suggestedFilename(), 'node.pb.gz')
    const decoded = decodePprof(gunzipSync(readFileSync(await download.path())))
    const sums = (p: Profile): number[] =>
      p.samples.values.map((column) => column.reduce((sum, value) => sum + value, 0))
    assert.deepEqual(sums(decoded), sums(profile))
    assert.deepEqual(tableOf(decoded), tableOf(profile))
    await page.close()
  })

  test('keeps names with markup inert', async () => {
    const evil = [
      '</script><img src=x onerror="document.title=\'pwned\'">',
      '<b>bold</b>',
      '"><svg onload=alert(1)>',
      'a&lt;b',
    ]
    const { page, troubles } = await openProfile(
      browser,
      profileOf([{ frames: evil.map((name) => name.replaceAll('|', '')), count: 5 }]),
    )
    await page.hover('g.frame[aria-label*="onerror"]')
    await page.click('.row-name')
    assert.deepEqual(troubles, [])
    assert.notEqual(await page.title(), 'pwned')
    assert.equal(await page.$('#app img, #app b b, #app [onload]'), null)
    assert.ok((await page.textContent('.strip'))!.includes('a&lt;b'))
    await page.close()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`has no accessibility violations in ${colorScheme}`, async () => {
      const { page } = await openProfile(browser, nodeServerProfile(), { colorScheme, bypassCSP: true })
      await page.addScriptTag({ path: axePath })
      const check = (): Promise<string[]> =>
        page.evaluate<string[]>(`axe.run().then(({ violations }) =>
          violations.map((v) => v.id + ': ' + v.nodes.map((node) => node.html).slice(0, 3).join(' ')))`)
      assert.deepEqual(await check(), [])
      await page.keyboard.press('?')
      assert.deepEqual(await check(), [])
      await page.close()
    })
  }

  test('follows the system into the dark and can be switched', async () => {
    const { page } = await openProfile(browser, nodeServerProfile(), { colorScheme: 'dark' })
    const background = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert.equal(await background(), 'rgb(22, 21, 19)')
    await page.click('[aria-label="Switch between light and dark"]')
    assert.equal(await background(), 'rgb(251, 250, 248)')
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
    const wide = await page.evaluate('document.documentElement.scrollWidth')
    assert.equal(wide, 400)
    await page.waitForTimeout(200)
    const right = await page.$eval('.flame svg', (svg) => svg.getBoundingClientRect().right)
    assert.ok(right <= 400, `the graph ends at ${right} px`)
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
    assert.match((await broken.page.textContent('[role=alert]'))!, /cannot be shown.*damaged/)
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
    assert.match((await page.textContent('.flame-note'))!, /deeper than 1\u202f000 rows/)
    for (let clicks = 0; clicks < 2; clicks++) await page.dispatchEvent('g.box', 'click')
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
      await page.click('g.box >> nth=3')
    }
    assert.ok((await frames(page)).some((frame) => /^f\d+, <\u202f0\.1\u202f%/.test(frame.label)))
    assert.match((await crumbs(page)).at(-1)!, /small$/)
    assert.deepEqual(troubles, [])
    await page.close()
  })
})
