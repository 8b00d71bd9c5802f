/** Filters, the menu, undo and the link: what a reader takes away comes back, and a link shows the same to another one. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { shareText, tableOf, totalOf } from '../helpers/plain-table.ts'
import { nodeServerProfile, profileOf } from '../helpers/sample-profile.ts'
import { timedProfile } from '../helpers/timed-profile.ts'
import { frames, launch, noBrowser, openProfile, until } from './chromium.ts'

const chips = (page: Page): Promise<string[]> =>
  page.$$eval('.chip-words', (all) => all.map((chip) => chip.textContent!))
const labels = async (page: Page): Promise<string[]> => (await frames(page)).map(({ label }) => label).sort()
const has = async (page: Page, name: string): Promise<boolean> =>
  (await labels(page)).some((label) => label.startsWith(`${name},`))
const gone = (page: Page, name: string): Promise<unknown> =>
  page.waitForSelector(`.frame[aria-label^="${name},"]`, { state: 'detached' })

describe('filters', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  test('each entry of the menu does what it says, and undo takes it back', async () => {
    const { page, troubles } = await openProfile(browser, nodeServerProfile())
    const menu = async (frame: string, item: string): Promise<void> => {
      await page.click(`.frame[aria-label^="${frame},"]`, { button: 'right' })
      await page.waitForSelector('[role=menu]')
      await page.click(`[role=menuitem]:has-text("${item}")`)
    }
    const undone = async (): Promise<void> => {
      await page.click('.undo')
      await page.waitForSelector('.chip', { state: 'detached' })
      await page.waitForSelector('.frame[aria-label^="_start,"]')
    }
    await menu('parseJson', 'Hide')
    await gone(page, 'parseJson')
    assert.ok(await has(page, 'JSON.parse'), 'what it called moved up')
    await undone()
    await menu('parseJson', 'Only stacks')
    await gone(page, 'renderCart')
    await undone()
    await menu('parseJson', 'Drop stacks')
    await gone(page, 'parseJson')
    assert.ok(!(await has(page, 'JSON.parse')), 'what it called went with it')
    await undone()
    await menu('parseJson', 'Merge into')
    await gone(page, 'JSON.parse')
    await undone()
    await menu('parseJson', 'Show from here')
    await gone(page, '_start')
    assert.ok(await has(page, 'parseJson'))
    await page.keyboard.press('u')
    await page.waitForSelector('.frame[aria-label^="_start,"]')
    await menu('deflate', 'Collapse its library')
    await gone(page, 'deflate_slow')
    await undone()
    await menu('parseJson', 'Make it the root')
    await gone(page, '_start')
    await undone()
    await menu('parseJson', 'Zoom')
    await page.waitForSelector('.crumbs li:last-child:has-text("parseJson")')
    await page.keyboard.press('0')
    await menu('parseJson', 'Focus on function')
    await page.waitForSelector('main[data-view=sandwich]')
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('the menu opens by key, is walked by keys, and gives the focus back', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key)
    const before = await page.evaluate<string>("document.activeElement.getAttribute('aria-label')")
    await page.keyboard.press('m')
    await page.waitForSelector('[role=menu]')
    assert.equal(await page.evaluate("document.activeElement.getAttribute('role')"), 'menuitem')
    await page.keyboard.press('ArrowUp')
    assert.match(await page.evaluate<string>('document.activeElement.textContent'), /Copy link/)
    await page.keyboard.press('h')
    assert.match(await page.evaluate<string>('document.activeElement.textContent'), /^Hide/)
    await page.keyboard.press('Escape')
    await page.waitForSelector('[role=menu]', { state: 'detached' })
    assert.equal(await page.evaluate("document.activeElement.getAttribute('aria-label')"), before)
    await page.keyboard.press('m')
    await page.keyboard.press('h')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.chip')
    await page.close()
  })

  test('the keys filter what is pointed at, and rows of the table have the menu too', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.hover('.frame[aria-label^="parseJson,"]')
    await page.keyboard.press('Shift+H')
    await gone(page, 'parseJson')
    assert.deepEqual(await chips(page), ['hide parseJson'])
    await page.click('.row-name[title="longest_match"]', { button: 'right' })
    await page.click('[role=menuitem]:has-text("Only stacks")')
    await gone(page, 'renderCart')
    assert.deepEqual(await chips(page), ['hide parseJson', 'only longest_match'])
    await page.click('.chip .remove >> nth=0')
    await until(page, "document.querySelectorAll('.chip').length === 1")
    await page.close()
  })

  test('a search becomes a filter by a second Enter or with Ctrl, by its shape', async () => {
    const profile = timedProfile()
    const { page } = await openProfile(browser, profile)
    const enter = async (text: string, keys: readonly string[]): Promise<void> => {
      await page.click('input[type=search]')
      await page.fill('input[type=search]', text)
      await page.waitForTimeout(150)
      for (const key of keys) await page.keyboard.press(key)
    }
    await enter('render', ['Enter', 'Enter'])
    await page.waitForSelector('.chip:has-text("only render")')
    assert.equal(await page.inputValue('input[type=search]'), '')
    await page.keyboard.press('u')
    await enter('-serve', ['Control+Enter'])
    await page.waitForSelector('.chip:has-text("hide serve")')
    await gone(page, 'serve')
    await enter('thr', ['Tab'])
    assert.equal(await page.inputValue('input[type=search]'), 'thread:')
    await page.keyboard.type('GC')
    await page.keyboard.press('Control+Enter')
    await page.waitForSelector('.chip:has-text("thread: GC")')
    await gone(page, 'render')
    assert.ok(await has(page, 'mark'))
    await page.close()
  })

  test('presets hide the kernel, and a filter that finds nothing says so', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.click('.presets')
    await page.click('[role=menuitem]:has-text("hide kernel")')
    await page.waitForSelector('.chip:has-text("hide kernel")')
    await page.waitForSelector('.frame.kernel', { state: 'detached' })
    await page.click('input[type=search]')
    await page.fill('input[type=search]', '-/(/')
    await page.keyboard.press('Control+Enter')
    await page.waitForSelector('.chip.doubtful:has-text("not a regular expression")')
    await page.close()
  })

  test('what the quality is about can be shown alone', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.click('.pill:has-text("stacks complete")')
    await page.waitForSelector('.panel[role=dialog]')
    assert.match((await page.textContent('.panel'))!, /stacks reach the root/)
    await page.keyboard.press('Escape')
    await page.waitForSelector('.panel', { state: 'detached' })
    await page.close()
  })

  test('a link shows the same view again, from a file', async () => {
    const profile = timedProfile()
    const hash =
      '#chip=hide:serve&chip=label:thread%3Amain&range=3-4&find=scan&sort=-total&colour=package&zoom='
    const { page } = await openProfile(browser, profile, {}, hash)
    await page.waitForSelector('.chip:has-text("thread: main")')
    assert.deepEqual(await chips(page), ['hide serve', 'thread: main'])
    assert.equal(await page.inputValue('input[type=search]'), 'scan')
    assert.match((await page.textContent('.chosen-text'))!, /selected 3\.0–4\.0\u202fs/)
    await page.waitForSelector('th[aria-sort=descending]:has-text("total")')
    await page.click('.frame[aria-label^="parse,"]')
    await page.waitForSelector('.crumbs li:last-child:has-text("parse")')
    const url = page.url()
    assert.match(url, /zoom=main/)
    const shown = await labels(page)
    await page.goto('about:blank')
    await page.goto(url)
    await page.waitForSelector('.crumbs li:last-child:has-text("parse")')
    assert.deepEqual(await labels(page), shown)
    await page.close()
  })

  test('Back and Forward walk the actions; typing is one step', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.click('.frame[aria-label^="handleRequest,"]')
    await page.waitForSelector('.crumbs li:last-child:has-text("handleRequest")')
    await page.fill('input[type=search]', 'par')
    await page.fill('input[type=search]', 'parse')
    await page.waitForSelector('.frame.found')
    await page.goBack()
    await page.waitForSelector('.crumbs li:first-child:last-child')
    await page.goForward()
    await page.waitForSelector('.crumbs li:last-child:has-text("handleRequest")')
    await page.waitForSelector('.frame.found')
    await page.close()
  })

  test('shares are of what the filters leave', async () => {
    const profile = nodeServerProfile()
    const { page } = await openProfile(browser, profile, {}, '#chip=only:decodeBody')
    await page.waitForSelector('.row-name[title="decodeBody"]')
    const table = tableOf(profile)
    const want = shareText(table.get('parseJson')!.total, table.get('decodeBody')!.total)
    await page.hover('.frame[aria-label^="parseJson,"]')
    assert.ok(
      (await page.textContent('.strip'))!.includes(want),
      `${await page.textContent('.strip')} has no ${want}`,
    )
    assert.ok(totalOf(profile) > 0)
    await page.close()
  })

  test('values beyond what a list can show are counted, and typing reaches them', async () => {
    const rows = Array.from({ length: 500 }, (_, i) => ({ frames: ['main', `f${i % 7}`], count: 1000 - i }))
    const profile = profileOf(rows)
    const labelSets = rows.map((_, i) => [{ key: 'job', str: `job-${i}` }])
    const samples = { ...profile.samples, labelSet: Int32Array.from(rows.keys()) }
    const { page } = await openProfile(browser, { ...profile, labelSets, samples })
    const options = (list: string): Promise<string[]> =>
      page.$$eval(`${list} option`, (all) => all.map((one) => one.textContent || one.getAttribute('value')!))
    await page.fill('input[type=search]', 'job:')
    await until(page, "document.querySelectorAll('#search-options option').length > 1")
    assert.deepEqual((await options('#search-options')).at(-1), '… and 450 more: type a part of it')
    await page.fill('input[type=search]', 'job:~b-49')
    await until(page, "document.querySelectorAll('#search-options option').length === 11")
    assert.ok((await options('#search-options')).includes('job:job-499'))
    await page.keyboard.press('Escape')
    await page.click('.compare')
    await page.waitForSelector('dialog [aria-label="Part of a value"]')
    const after = 'dialog [aria-label="After"]'
    assert.deepEqual((await options(after)).at(-1), '… and 300 more: type a part of it')
    await page.fill('dialog [aria-label="Part of a value"]', '499')
    await page.waitForSelector(`${after} option[value="job-499"]`, { state: 'attached' })
    assert.equal(await page.inputValue(after), 'job-1', 'what was chosen stays until another is')
    await page.selectOption(after, 'job-499')
    await page.click('dialog button:text-is("Compare")')
    await page.waitForSelector('.verdict .sentence')
    assert.match(await page.evaluate<string>('location.hash'), /vs=label:job:job-0:job-499/)
    await page.close()
  })
})
