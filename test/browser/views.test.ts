/** The four views of one profile, each with the numbers of the profile; the table is held against Go's pprof. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import type { Profile } from '../../src/model/profile.ts'
import { encodePprof } from '../../src/pprof/encode.ts'
import { shareText, tableOf, totalOf } from '../helpers/plain-table.ts'
import { nodeServerProfile, profileOf } from '../helpers/sample-profile.ts'
import { frames, launch, noBrowser, openProfile, until } from './chromium.ts'

/** Flat and cumulative per cent by function, as `go tool pprof -top` prints them; null where there is no Go. */
function pprofTop(profile: Profile): Map<string, { self: string; total: string }> | null {
  const folder = mkdtempSync(join(tmpdir(), 'emberscope-pprof-'))
  const file = join(folder, 'profile.pb.gz')
  writeFileSync(file, gzipSync(encodePprof(profile)))
  try {
    const options = [
      'tool',
      'pprof',
      '-top',
      '-nodecount=100000',
      '-nodefraction=0',
      '-sample_index=samples',
      file,
    ]
    const text = execFileSync('go', options, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const rows = new Map<string, { self: string; total: string }>()
    for (const line of text.split('\n')) {
      const [, self, total, name] =
        /^\s*\S+\s+([\d.]+)%\s+\S+\s+\S+\s+([\d.]+)%\s+(.*?)(?: \(inline\))?$/.exec(line) ?? []
      if (name !== undefined) rows.set(name, { self: self!, total: total! })
    }
    return rows
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The rows of the table in the document: name, self and total share. */
function tableRows(page: Page): Promise<[string, string, string][]> {
  return page.$$eval('tr[data-index]:not(.waiting)', (rows) =>
    rows.map((row): [string, string, string] => [
      row.querySelector('.row-name')!.getAttribute('title')!,
      row.children[1]!.firstChild!.textContent!,
      row.children[2]!.firstChild!.textContent!,
    ]),
  )
}

describe('the views', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  test('the table has the figures of go tool pprof -top', async (t) => {
    const profile = nodeServerProfile()
    const top = pprofTop(profile)
    if (top === null) return t.skip('there is no go here to compare with')
    const { page } = await openProfile(browser, profile, {}, '#view=table')
    const rows = await tableRows(page)
    assert.ok(rows.length >= 20)
    let compared = 0
    for (const [name, self, total] of rows) {
      const want = top.get(name)
      if (want === undefined) continue
      compared++
      for (const [ours, theirs] of [
        [self, want.self],
        [total, want.total],
      ] as const) {
        const share = ours.startsWith('<') ? 0.05 : Number.parseFloat(ours)
        assert.ok(Math.abs(share - Number(theirs)) <= 0.0501, `${name}: ${ours} here, ${theirs} there`)
      }
    }
    assert.ok(compared >= 20, `only ${compared} names in common`)
    await page.close()
  })

  test('the inverted graph begins with what uses the time, and goes on with its callers', async () => {
    const profile = nodeServerProfile()
    const { page } = await openProfile(browser, profile)
    await page.keyboard.press('i')
    await page.waitForSelector('main[data-view=inverted] svg[aria-label^="Inverted"]')
    const [, first] = await page.$$eval('.frame[aria-level="2"]', (all) =>
      all.map((group) => group.getAttribute('aria-label')!).slice(0, 2),
    )
    const byLabel = await page.$eval(
      '.frame[aria-level="2"][aria-label^="sumHistogram,"]',
      (group) => group.getAttribute('aria-label')!,
    )
    const want = shareText(tableOf(profile).get('sumHistogram')!.self, totalOf(profile))
    assert.ok(byLabel.includes(want), `${byLabel} has no ${want}`)
    assert.ok(first !== undefined)
    await page.click('.frame[aria-level="2"][aria-label^="sumHistogram,"]')
    await page.waitForSelector('.frame[aria-level="3"][aria-label^="flushMetrics,"]')
    await page.keyboard.press('f')
    await page.waitForSelector('main[data-view=flame] svg[aria-label^="Flame"]')
    await page.close()
  })

  test('the sandwich has callers above the function and what it calls below', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.hover('.frame[aria-label^="priceOf,"]')
    await page.keyboard.press('s')
    await page.waitForSelector('.flame.sandwich .callers .frame[aria-label^="Array.map"]')
    const place = (selector: string): Promise<number> =>
      page.$eval(selector, (element) => element.getBoundingClientRect().top)
    const bar = await place('.callers .frame[aria-level="1"]')
    assert.ok((await place('.callers .frame[aria-label^="Array.map"]')) < bar)
    assert.ok((await place('.flame-holder:not(.callers) .frame[aria-label^="applyDiscount"]')) > bar)
    assert.match(
      (await page.$eval('.callers .frame[aria-level="1"]', (g) => g.getAttribute('aria-label')))!,
      /^priceOf/,
    )
    await page.click('.flame-holder:not(.callers) .frame[aria-label^="applyDiscount"]')
    await page.waitForSelector('.callers .frame[aria-level="1"][aria-label^="applyDiscount"]')
    await page.keyboard.press('u')
    await page.waitForSelector('.callers .frame[aria-level="1"][aria-label^="priceOf"]')
    await page.close()
  })

  test('a box of small callers shows what is in it, and the way out leads back', async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      frames: ['main', `caller_${i}`, 'shared'],
      count: i === 0 ? 3000 : 1,
    }))
    const { page } = await openProfile(browser, profileOf(rows), {}, '#view=sandwich&pivot=shared')
    const smallest = '.callers .frame[aria-label^="caller_2999"]'
    await page.waitForSelector('.callers .frame.box')
    for (let press = 0; (await page.$(smallest)) === null; press++) {
      assert.ok(press < 20, 'the smallest caller is never drawn')
      await (await page.$$('.callers .frame.box')).at(-1)!.click()
      await page.waitForTimeout(150)
    }
    assert.match(await page.evaluate<string>('location.hash'), /callers-ranks=/)
    assert.match((await page.textContent('.crumbs li:last-child'))!, /small/)
    await page.keyboard.press('u')
    await page.keyboard.press('0')
    await page.waitForSelector('.callers .frame[aria-label^="caller_0,"]')
    await until(page, "!location.hash.includes('callers-')")
    await page.close()
  })

  test('the flame can stand on its root, with up still up', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    await page.click('[aria-label="Root at the bottom"]')
    await page.waitForSelector('svg[aria-label="Flame graph, callees above callers"]')
    const place = (selector: string): Promise<number> =>
      page.$eval(selector, (element) => element.getBoundingClientRect().top)
    assert.ok((await place('.frame[aria-label^="_start,"]')) > (await place('.frame[aria-label^="uv_run,"]')))
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('ArrowUp')
    await until(page, "document.activeElement.getAttribute('aria-label')?.startsWith('_start,')")
    await page.close()
  })

  test('one filter feeds all of them', async () => {
    const { page } = await openProfile(browser, nodeServerProfile(), {}, '#chip=only:parseJson')
    await page.waitForSelector('.chip:has-text("only parseJson")')
    for (const [key, view] of [
      ['i', 'inverted'],
      ['t', 'table'],
      ['f', 'flame'],
    ] as const) {
      await page.keyboard.press(key)
      await page.waitForSelector(`main[data-view=${view}]`)
      await page.waitForTimeout(200)
      const names =
        view === 'table'
          ? (await tableRows(page)).map(([name]) => name)
          : (await frames(page)).map(({ label }) => label)
      assert.ok(
        names.some((name) => name.startsWith('parseJson')),
        view,
      )
      assert.ok(!names.some((name) => name.startsWith('renderCart')), view)
    }
    await page.close()
  })

  test('the colours can tell packages and kinds, and the legend says which', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    assert.match((await page.textContent('.toolbar .legend'))!, /kernel \(hatched\)/)
    await page.selectOption('[aria-label="Colour by"]', 'kind')
    await until(page, "location.hash.includes('colour=kind')")
    await page.waitForTimeout(150)
    assert.match((await page.textContent('.toolbar .legend'))!, /jit/i)
    await page.close()
  })
})
