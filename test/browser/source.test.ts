/** `--source` from end to end: real captures of a C and a node program, opened in the page, their hot lines in the drawer. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, scratchDirectory } from '../helpers/profile-run.ts'
import { launch, noBrowser, openHtml } from './chromium.ts'

const C_PROGRAM = `#include <time.h>
static volatile unsigned long sum;
${'/* far from the top */\n'.repeat(120)}
__attribute__((noinline)) static void burn(void) {
  for (int i = 0; i < 1000000; i++)
    sum += i * 7u;
}
int main(void) {
  time_t end = time(0) + 2;
  while (time(0) < end)
    burn();
}
`

const NODE_PROGRAM = `'use strict'
function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2)
}
const end = Date.now() + 2500
let sum = 0
while (Date.now() < end) sum += fib(22)
setTimeout(() => process.exit(sum === 0.5 ? 1 : 0), 1)
`

/** The page of a capture with its source. */
async function captured(directory: string, command: readonly string[]): Promise<string> {
  const file = join(directory, 'out.html')
  const args = ['--source', '--no-open', '-o', file, '-F', '299', '--', ...command]
  const run = await runCommand(args, { cwd: directory })
  assert.equal(run.status, 0, run.stderr)
  return readFileSync(file, 'utf8')
}

/** Opens the drawer of the heaviest frame whose words begin so, by the menu. */
async function openDrawer(page: Page, words: string): Promise<void> {
  await page.click(`.frame[aria-label^="${words}"] >> nth=0`, { button: 'right' })
  await page.click('[role=menuitem]:has-text("Details")')
  await page.waitForSelector('.drawer .lines')
}

/** The lines that have a cost: number, cost in per cent, text. */
function costs(page: Page): Promise<[number, number, string][]> {
  return page.$$eval('.drawer .lines li.hot', (lines) =>
    lines.map((line): [number, number, string] => [
      Number(line.querySelector('.line-number')!.textContent),
      Number.parseFloat(line.querySelector('.line-cost')!.textContent!.replace('<', '')),
      line.querySelector('code')!.textContent!,
    ]),
  )
}

describe('source lines', { skip: noBrowser || skipUnless('cc'), concurrency: false }, () => {
  let browser: Browser
  before(async () => {
    browser = await launch()
  })
  after(() => browser?.close())

  test('a C program: the lines of its hot loop have its cost and are in sight', async () => {
    const directory = scratchDirectory()
    const source = join(directory, 'main.c')
    writeFileSync(source, C_PROGRAM)
    execFileSync('cc', ['-g', '-O1', '-o', join(directory, 'program'), source])
    const { page, troubles } = await openHtml(
      browser,
      await captured(directory, [join(directory, 'program')]),
    )
    await openDrawer(page, 'burn, ')
    assert.match((await page.textContent('.drawer .source h3'))!, /\/main\.c$/)
    const lines = await costs(page)
    const all = C_PROGRAM.split('\n')
    for (const [number, , text] of lines) assert.equal(text, all[number - 1])
    const loop = lines.filter(([, , text]) => /for \(int i|sum \+=/.test(text))
    assert.ok(loop.reduce((sum, [, cost]) => sum + cost, 0) > 90, JSON.stringify(lines))
    const hottest = (await (await page.$('.drawer li.hottest'))!.boundingBox())!
    const part = (await (await page.$('.drawer .source'))!.boundingBox())!
    assert.ok(hottest.y >= part.y && hottest.y + hottest.height <= part.y + part.height, 'it is out of sight')
    assert.deepEqual(troubles, [])
    await page.close()
  })

  test('a node program: the function has its cost at its first line, and the page says why there', async () => {
    const directory = scratchDirectory()
    writeFileSync(join(directory, 'app.js'), NODE_PROGRAM)
    const command = [process.execPath, '--perf-basic-prof', '--interpreted-frames-native-stack', 'app.js']
    const { page, troubles } = await openHtml(browser, await captured(directory, command))
    await page.fill('input[type=search]', 'fib')
    await page.waitForSelector('.frame.found')
    await openDrawer(page, 'JS:*fib ')
    assert.match((await page.textContent('.drawer .source h3'))!, /\/app\.js$/)
    assert.match((await page.textContent('.drawer .source p'))!, /first line has the cost of all its lines/)
    const lines = await costs(page)
    assert.deepEqual(
      lines.map(([number, , text]) => [number, text]),
      [[2, 'function fib(n) {']],
    )
    assert.ok(lines[0]![1] > 30, JSON.stringify(lines))
    assert.deepEqual(troubles, [])
    await page.close()
  })
})
