/** What goes out of the page and what comes in: every export, a dropped file, hostile names and damaged files. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import type { Profile } from '../../src/model/profile.ts'
import { decodePprof } from '../../src/pprof/decode.ts'
import { encodePprof } from '../../src/pprof/encode.ts'
import { tableOf } from '../helpers/plain-table.ts'
import { HEALTHY_CAPTURE, nodeServerProfile, profileOf } from '../helpers/sample-profile.ts'
import { launch, noBrowser, openProfile } from './chromium.ts'

/** Saves in a format; gives the file's name and bytes. */
async function exported(
  page: Page,
  format: string,
  redact = false,
): Promise<{ name: string; bytes: Buffer }> {
  await page.click('.export')
  await page.waitForSelector('.export-list')
  if (redact) await page.check('#redact')
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`[data-format=${format}]`)])
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) }
}

/** Drops a file onto the page, with a key held perhaps. */
async function drop(page: Page, name: string, bytes: Uint8Array, shiftKey = false): Promise<void> {
  const base64 = Buffer.from(bytes).toString('base64')
  await page.evaluate(`(() => {
    const bytes = Uint8Array.from(atob(${JSON.stringify(base64)}), (c) => c.charCodeAt(0))
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File([bytes], ${JSON.stringify(name)}))
    const options = { dataTransfer, bubbles: true, cancelable: true, shiftKey: ${shiftKey} }
    for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, options))
  })()`)
}

/** A capture with words that must not leave the house, in every place that a profile has for them. */
function profileWithSecrets(): { readonly profile: Profile; readonly secrets: readonly string[] } {
  const plain = profileOf(
    [
      { frames: ['main|/srv/SECRETDIR/bin/tool', 'shared|/srv/SECRETDIR/bin/tool'], count: 500 },
      {
        frames: ['JS:*run /home/SECRETUSER/app.js:7:13|//anon|jit', 'shared|/srv/SECRETDIR/bin/tool'],
        count: 300,
      },
      { frames: ['|/opt/SECRETLIB.so.2', 'shared|/srv/SECRETDIR/bin/tool'], count: 200 },
    ],
    {
      ...HEALTHY_CAPTURE,
      target: { kind: 'command', name: '/srv/SECRETDIR/bin/tool', pids: [7] },
      host: { ...HEALTHY_CAPTURE.host, name: 'SECRETHOST' },
      notes: ['the map of /srv/SECRETDIR/x on SECRETHOST could not be read'],
    },
  )
  const labelSets = [
    [
      { key: 'thread', str: 'rpc@SECRETHOST' },
      { key: 'pod', str: 'SECRETPOD' },
    ],
  ]
  const labelSet = new Int32Array(plain.samples.labelSet.length)
  const profile = {
    ...plain,
    labelSets,
    samples: { ...plain.samples, labelSet },
    comments: ['tool --token=SECRETARGV'],
    sources: [{ fileName: '/home/SECRETUSER/app.js', firstLine: 7, lines: ['const SECRETTEXT = 1'] }],
  }
  const words = ['DIR', 'USER', 'LIB', 'HOST', 'POD', 'ARGV', 'TEXT']
  return { profile, secrets: words.map((word) => `SECRET${word}`) }
}

describe('files', { skip: noBrowser, concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  test('the profile is saved as pprof, folded, speedscope and table, whole', async () => {
    const profile = nodeServerProfile()
    const { page, troubles } = await openProfile(browser, profile)
    const pprof = await exported(page, 'pprof')
    assert.match(pprof.name, /^node.*\.pb\.gz$/)
    assert.deepEqual(tableOf(decodePprof(gunzipSync(pprof.bytes))), tableOf(profile))
    const folded = (await exported(page, 'folded')).bytes.toString()
    const sum = folded.split('\n').reduce((total, line) => total + Number(/ (\d+)$/.exec(line)?.[1] ?? 0), 0)
    assert.equal(
      sum,
      profile.samples.values[0]!.reduce((total, value) => total + value, 0),
    )
    const speedscope = JSON.parse((await exported(page, 'speedscope')).bytes.toString()) as {
      $schema: string
    }
    assert.match(speedscope.$schema, /speedscope/)
    const csv = (await exported(page, 'csv')).bytes.toString()
    assert.ok(csv.split('\n').length > 30 && csv.includes('parseJson'))
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('the drawing is saved as SVG and PNG as it is seen', async () => {
    const { page, troubles } = await openProfile(browser, nodeServerProfile())
    const svg = (await exported(page, 'svg')).bytes.toString()
    assert.match(svg, /^<svg xmlns/)
    assert.ok(svg.includes('>handleRequest</text>') && svg.includes('url(#kernel)'))
    assert.doesNotMatch(svg.replace('http://www.w3.org/2000/svg', ''), /https?:|<script|<image|oklch/)
    const drawn = await page.$$eval('.frame', (all) => all.length)
    assert.equal(svg.split('<g><title>').length - 1, drawn)
    const { bytes } = await exported(page, 'png')
    assert.deepEqual([...bytes.subarray(1, 4)], [...Buffer.from('PNG')])
    assert.ok(bytes.length > 10_000)
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('redacted files and pictures, their names and what is in them, tell no path, host or command line', async () => {
    const { profile, secrets } = profileWithSecrets()
    for (const hash of ['', '#view=sandwich&pivot=shared', '#view=inverted', '#chip=collapse:run']) {
      const { page } = await openProfile(browser, profile, {}, hash)
      for (const format of ['pprof', 'folded', 'speedscope', 'csv', 'svg', 'png']) {
        const { name, bytes } = await exported(page, format, true)
        const text = format === 'pprof' ? gunzipSync(bytes) : bytes
        assert.ok(bytes.length > 80, `${format} is empty`)
        for (const secret of secrets) {
          assert.ok(!text.includes(secret), `${hash} ${format} holds ${secret}`)
          assert.ok(!name.includes(secret), `the name of the ${format} file holds ${secret}`)
        }
      }
      const open = (await exported(page, 'svg')).bytes.toString()
      if (hash === '') assert.ok(secrets.slice(0, 3).every((secret) => open.includes(secret)))
      await page.close()
    }
  })

  test('a dropped profile is opened, with Shift compared', async () => {
    const other: Profile = profileOf([{ frames: ['main', 'dropped_in'], count: 9 }])
    const { page, troubles } = await openProfile(browser, nodeServerProfile())
    const bytes = gzipSync(encodePprof(other))
    await drop(page, 'other.pb.gz', bytes)
    await page.waitForSelector('.row-name[title="dropped_in"]')
    assert.match((await page.textContent('.what'))!, /other\.pb\.gz/)
    await drop(page, 'again.pb.gz', gzipSync(encodePprof(nodeServerProfile())), true)
    await page.waitForSelector('.verdict .sentence')
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('a dropped file that is no profile, cut off or a bomb gives a message, and the page goes on', async () => {
    const { page } = await openProfile(browser, nodeServerProfile())
    const whole = gzipSync(encodePprof(nodeServerProfile()))
    const bomb = gzipSync(Buffer.alloc(64 << 20))
    for (const [name, bytes] of [
      ['cut.pb.gz', whole.subarray(0, whole.length >> 1)],
      ['text.txt', Buffer.from('nothing of the kind\n')],
      ['empty.pb.gz', Buffer.alloc(0)],
      ['bomb.pb.gz', bomb],
    ] as const) {
      await drop(page, name, bytes)
      await page.waitForSelector('.notice.problem')
      assert.ok(((await page.textContent('.notice.problem')) ?? '').length > 20, name)
      await page.click('[aria-label="Close the message"]')
    }
    await page.click('.frame[aria-label^="parseJson,"]')
    await page.waitForSelector('.crumbs li:last-child:has-text("parseJson")')
    await page.close()
  })

  test('names with markup stay text, in every place', async () => {
    const evil = [
      '</script><img src=x onerror="document.title=\'pwned\'">',
      '<b>bold</b>',
      '"><svg onload=alert(1)>',
      'a&lt;b',
    ]
    const { page, troubles } = await openProfile(browser, profileOf([{ frames: evil, count: 5 }]))
    await page.hover('.frame[aria-label*="onerror"]')
    await page.click('.row-name')
    await page.fill('input[type=search]', 'bold')
    await page.click('.frame[aria-label*="onload"]', { button: 'right' })
    await page.click('[role=menuitem]:has-text("Details")')
    await page.waitForSelector('.drawer h2')
    await page.keyboard.press('Escape')
    const svg = (await exported(page, 'svg')).bytes.toString()
    assert.ok(!svg.includes('<b>') && !svg.includes('<img'))
    assert.deepEqual(troubles, [])
    assert.notEqual(await page.title(), 'pwned')
    assert.equal(await page.$('#app img, #app b b, #app [onload]'), null)
    await page.close()
  })

  test('names of a megabyte, no samples and values below zero do not stop it', async () => {
    const huge = 'x'.repeat(1 << 20)
    const { page, troubles } = await openProfile(browser, profileOf([{ frames: ['main', huge], count: 3 }]))
    await page.hover('.frame >> nth=2')
    await page.click('.frame >> nth=2')
    await page.waitForSelector('.crumbs li:nth-child(3)')
    assert.deepEqual(troubles, [])
    await page.close()
    const negative = await openProfile(
      browser,
      profileOf([
        { frames: ['main', 'a'], count: 3 },
        { frames: ['main', 'b'], count: -2 },
      ]),
    )
    await negative.page.waitForSelector('.flame-note:has-text("below zero")')
    await negative.page.close()
    const none = await openProfile(browser, profileOf([]))
    assert.match((await none.page.textContent('.flame-empty'))!, /No samples/)
    await none.page.close()
  })
})
