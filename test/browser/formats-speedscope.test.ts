/**
 * speedscope itself opens what we write for it: its released page, served from here, in a real browser. It draws on a
 * canvas, so the proof is its title (set after an import that worked), its list of profiles and the absence of errors.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { basename, dirname, extname, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Browser, chromium } from 'playwright-core'
import { writeFolded } from '../../src/formats/folded.ts'
import { writeSpeedscope } from '../../src/formats/speedscope.ts'
import { encodePprof } from '../../src/pprof/encode.ts'
import { findTool } from '../helpers/host.ts'
import { capturedProfile } from '../unit/formats/sample-profile.ts'

const CHROMIUM = findTool('chromium') || findTool('chromium-browser') || findTool('google-chrome')
const skip = CHROMIUM === '' && 'needs a chromium on PATH'
const release = dirname(createRequire(import.meta.url).resolve('speedscope/dist/release/index.html'))

const profile = capturedProfile()
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'p.speedscope.json': [...writeSpeedscope(profile)].join(''),
  'p.folded': [...writeFolded(profile)].join(''),
  'p.pb': encodePprof(profile),
  'p.pb.gz': gzipSync(encodePprof(profile)),
  'garbage.json': '{"no": "profile"}',
}
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
}

/** Serves speedscope's release and our files on 127.0.0.1. */
async function serve(): Promise<{ origin: string; close: () => void }> {
  const server = createServer((request, response) => {
    const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname) || 'index.html'
    try {
      const body = FILES[name] ?? readFileSync(join(release, name))
      response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream')
      response.end(body)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() }
}

/** Opens a file in speedscope; the errors it showed or logged until it had a profile or gave up. */
async function openIn(browser: Browser, origin: string, name: string): Promise<string[]> {
  const page = await browser.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('dialog', (dialog) => {
    errors.push(dialog.message())
    void dialog.dismiss()
  })
  await page.goto(`${origin}/index.html#profileURL=${encodeURIComponent(`${origin}/${name}`)}`)
  const isDone = () => page.evaluate<boolean>('/ - speedscope$/.test(document.title)')
  const failed = page.locator('text=/unrecognized|went wrong|failed/i')
  const deadline = Date.now() + 30_000
  while (!(await isDone()) && errors.length === 0) {
    if ((await failed.count()) > 0) errors.push('the page shows an error')
    if (Date.now() > deadline) errors.push('no profile after 30 s')
    await page.waitForTimeout(50)
  }
  await page.close()
  return errors
}

test('speedscope opens our files of every format that it reads', { skip }, async () => {
  const server = await serve()
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  try {
    for (const name of Object.keys(FILES)) {
      const errors = await openIn(browser, server.origin, name)
      if (name === 'garbage.json')
        assert.notDeepEqual(errors, [], 'speedscope takes anything: this test proves nothing')
      else assert.deepEqual(errors, [], name)
    }
  } finally {
    await browser.close()
    server.close()
  }
})
