/** The page of a running agent in a real browser: it follows, stops, goes back in time, and keeps what a reader did. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Profile } from '../../src/model/profile.ts'
import { AgentServer } from '../../src/server/agent-server.ts'
import { MAX_READERS } from '../../src/server/live-readers.ts'
import { Recorder } from '../../src/server/recorder.ts'
import { nodeServerProfile, profileOf } from '../helpers/sample-profile.ts'
import { launch, noBrowser } from './chromium.ts'

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const START_MS = Date.UTC(2026, 10, 24, 14, 0, 0)

/** Window number `n` of 10 s: the node server, with `extra_n` more and more often. */
function window(n: number): Profile {
  const base = nodeServerProfile()
  return { ...base, timeNs: BigInt(START_MS + n * 10_000) * 1_000_000n, durationNs: 10_000_000_000n }
}
function quietWindow(n: number): Profile {
  const profile = profileOf(
    [{ frames: ['main|/bin/x', `only_in_${n}|/bin/x`], count: 10 }],
    window(0).capture,
  )
  return { ...profile, timeNs: BigInt(START_MS + n * 10_000) * 1_000_000n, durationNs: 10_000_000_000n }
}

describe('the live page', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  let server: AgentServer
  let url = ''
  const troubles: string[] = []
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())
  beforeEach(async () => {
    troubles.length = 0
    server = newServer()
    url = (await server.start()).url
  })
  afterEach(() => server.close())

  function newServer(): AgentServer {
    const recorder = new Recorder({ minutes: 15, maxBytes: 32 << 20 })
    const health = () => ({ alive: true, ready: true, checks: [] })
    const metrics = () => ({ contentType: 'text/plain', body: '' })
    return new AgentServer({ listen: '127.0.0.1:0', token: '', recorder, metrics, health, runDirectory: '' })
  }

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      reducedMotion: 'reduce',
      timezoneId: 'UTC',
      ...options,
    })
    const page = await context.newPage()
    page.on('console', (message) => message.type() === 'error' && troubles.push(`console: ${message.text()}`))
    page.on('pageerror', (error) => troubles.push(`exception: ${error.message}`))
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('blob:'))
        troubles.push(`request: ${request.url()}`)
    })
    await page.goto(url)
    return page
  }
  const status = (page: Page, text: string): Promise<unknown> =>
    page.waitForSelector(`.live-status:has-text("${text}")`)
  const names = (page: Page): Promise<string[]> =>
    page.$$eval('.row-name', (rows) => rows.map((row) => row.getAttribute('title')!))

  test('waits for the first window, then shows it and each that follows', async () => {
    const page = await open()
    assert.match((await page.textContent('.state'))!, /Waiting for the first window/)
    server.publish(quietWindow(0))
    await status(page, '14:00:00 – 14:00:10 · 1 window')
    server.publish(quietWindow(1))
    await status(page, '14:00:00 – 14:00:20 · 2 windows')
    await page.waitForSelector('.row-name[title="only_in_1"]')
    assert.deepEqual((await names(page)).sort(), ['main', 'only_in_0', 'only_in_1'])
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('stops by button and by Space, counts what it does not show, and goes on', async () => {
    server.publish(quietWindow(0))
    const page = await open()
    await status(page, '1 window')
    await page.click('button:text("Pause")')
    server.publish(quietWindow(1))
    await status(page, '14:00:10 · 1 window · 1 newer')
    assert.equal(await page.textContent('.live-word'), 'Paused')
    assert.ok(!(await names(page)).includes('only_in_1'))
    await page.evaluate('document.activeElement.blur()')
    await page.keyboard.press('Space')
    await status(page, '14:00:20 · 2 windows')
    assert.equal(await page.textContent('.live-word'), 'Live')
    await page.close()
  })

  test('shows the last minutes that are chosen, or a time from … to …', async () => {
    for (let n = 0; n < 40; n++) server.publish(quietWindow(n))
    const page = await open()
    await status(page, '14:01:40 – 14:06:40 · 30 windows')
    await page.selectOption('[aria-label="Time range"]', '1')
    await status(page, '14:05:40 – 14:06:40 · 6 windows')
    await page.selectOption('[aria-label="Time range"]', '15')
    await status(page, '14:00:00 – 14:06:40 · 40 windows')
    await page.selectOption('[aria-label="Time range"]', 'custom')
    assert.match(await page.inputValue('[aria-label="From"]'), /^14:00/)
    await page.fill('[aria-label="From"]', '14:01:00')
    await page.fill('[aria-label="To"]', '14:01:20')
    await page.click('button:text("Show")')
    await status(page, '14:01:00 – 14:01:20 · 2 windows')
    await page.waitForSelector('.panel-head span:text-is("self ▾ · 3")')
    assert.deepEqual((await names(page)).sort(), ['main', 'only_in_6', 'only_in_7'])
    assert.equal(await page.textContent('.live-word'), 'Paused')
    await page.fill('[aria-label="From"]', '10:00:00')
    await page.fill('[aria-label="To"]', '10:00:20')
    await page.keyboard.press('Enter')
    await status(page, 'nothing was recorded then; there is 14:00:00 to 14:06:40')
    await page.click('button:text("Go on")')
    await status(page, '40 windows')
    assert.equal(await page.inputValue('[aria-label="Time range"]'), '15')
    assert.equal(await page.isVisible('[aria-label="From"]'), false)
    await page.close()
  })

  test('keeps search, place, zoom, selected function and focus when a window comes', async () => {
    server.publish(window(0))
    const page = await open()
    await status(page, '1 window')
    await page.click('.frame[aria-label^="handleRequest,"]')
    await page.fill('input[type=search]', '/parse|decode/')
    await page.waitForSelector('.frame.found')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.status:has-text("1 of")')
    await page.click('.row-name[title="parseJson"]')
    await page.focus('.frame[aria-label^="route,"]')
    const before = await page.textContent('.status')
    server.publish(window(1))
    await status(page, '2 windows')
    assert.equal(await page.$$eval('.crumbs li', (all) => all.at(-1)!.textContent), 'handleRequest')
    assert.equal(await page.inputValue('input[type=search]'), '/parse|decode/')
    assert.match((await page.textContent('.status'))!, /1 of 6 places/)
    assert.equal((await page.textContent('.status'))!.slice(0, 4), before!.slice(0, 4))
    await page.waitForSelector('tr.selected .row-name[title="parseJson"]')
    assert.match(await page.evaluate<string>("document.activeElement.getAttribute('aria-label')"), /^route,/)
    assert.match((await page.textContent('.strip'))!, /route/)
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('shows one process of several alone, and goes on doing so', async () => {
    const twoProcesses = (n: number): Profile => {
      const profile = profileOf(
        [
          { frames: ['main', 'in_node'], count: 3 },
          { frames: ['main', 'in_sh'], count: 1 },
        ],
        window(0).capture,
      )
      const labelSets = ['node', 'sh'].map((str) => [{ key: 'comm', str }])
      const samples = { ...profile.samples, labelSet: Int32Array.of(0, 1) }
      const { timeNs, durationNs } = quietWindow(n)
      return { ...profile, labelSets, samples, timeNs, durationNs }
    }
    server.publish(twoProcesses(0))
    const page = await open()
    await status(page, '1 window')
    const options = await page.$$eval('.process-choice option', (all) => all.map((o) => o.textContent))
    assert.deepEqual(options, ['all processes', 'node · 75.0\u202f%', 'sh · 25.0\u202f%'])
    await page.selectOption('.process-choice', 'sh')
    await page.waitForSelector('.panel-head span:text-is("self ▾ · 2")')
    assert.deepEqual((await names(page)).sort(), ['in_sh', 'main'])
    server.publish(twoProcesses(1))
    await status(page, '2 windows')
    assert.equal(await page.inputValue('.process-choice'), 'sh')
    await page.waitForSelector('.chip:has-text("comm: sh")')
    await page.waitForTimeout(100)
    assert.deepEqual((await names(page)).sort(), ['in_sh', 'main'])
    await page.selectOption('.process-choice', '')
    await page.waitForSelector('.row-name[title="in_node"]')
    await page.close()
  })

  test('zooms out as far as it must when what it showed is gone', async () => {
    server.publish(quietWindow(0))
    const page = await open()
    await page.click('.frame[aria-label^="only_in_0,"]')
    for (let n = 100; n < 103; n++) server.publish(quietWindow(n))
    await status(page, '3 windows')
    assert.deepEqual(await page.$$eval('.crumbs li', (all) => all.map((li) => li.textContent)), [
      'all',
      'main',
    ])
    await page.close()
  })

  test('goes on by asking when there are too many live pages', async () => {
    const readers = await Promise.all(
      Array.from({ length: MAX_READERS }, async () => {
        const { body } = await fetch(`${url}live`)
        return body!
      }),
    )
    server.publish(quietWindow(0))
    const page = await open()
    await status(page, '1 window')
    server.publish(quietWindow(1))
    await status(page, '2 windows')
    await Promise.all(readers.map((body) => body.cancel()))
    await page.close()
  })

  test('says when the agent is gone, and that its successor has another address', async () => {
    server.publish(quietWindow(0))
    const page = await open()
    await status(page, '1 window')
    await server.close()
    await status(page, 'no answer from the agent, trying again')
    assert.ok((await names(page)).includes('only_in_0'), 'what was shown is still there')
    const { port } = new URL(url)
    const next = new AgentServer({
      listen: `127.0.0.1:${port}`,
      token: 'another',
      recorder: new Recorder({ minutes: 1, maxBytes: 1000 }),
      metrics: () => ({ contentType: 'text/plain', body: '' }),
      health: () => ({ alive: true, ready: true, checks: [] }),
      runDirectory: '',
    })
    await next.start()
    await status(page, 'open the URL that it prints now')
    await next.close()
    await page.close()
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`has no accessibility violations in ${colorScheme}, paused and with a time of its own`, async () => {
      server.publish(window(0))
      const page = await open({ colorScheme, bypassCSP: true })
      await status(page, '1 window')
      await page.addScriptTag({ path: axePath })
      const check = (): Promise<string[]> =>
        page.evaluate<string[]>(`axe.run().then(({ violations }) =>
          violations.map((v) => v.id + ': ' + v.nodes.map((node) => node.html).slice(0, 3).join(' ')))`)
      assert.deepEqual(await check(), [])
      await page.click('button:text("Pause")')
      await page.selectOption('[aria-label="Time range"]', 'custom')
      assert.deepEqual(await check(), [])
      await page.close()
    })
  }

  test('fits a narrow window', async () => {
    server.publish(window(0))
    const page = await open({ viewport: { width: 400, height: 800 } })
    await status(page, '1 window')
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 400)
    const right = await page.$eval('.live-bar', (bar) => bar.getBoundingClientRect().right)
    assert.ok(right <= 400, `the bar ends at ${right} px`)
    await page.selectOption('[aria-label="Time range"]', 'custom')
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 400)
    await page.close()
  })
})
