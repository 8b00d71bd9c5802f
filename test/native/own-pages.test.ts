/** Giving back the pages that only the start of the process needed. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { loadAddon } from '../../src/native/addon.ts'

/** Resident kB of mapped files. */
function fileKb(): number {
  return Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
}

test('takes megabytes of clean file pages out of resident memory, and everything still works', async () => {
  const beforeKb = fileKb()
  const { bytes } = await loadAddon().dropStartPages()
  const afterKb = fileKb()
  assert.ok(bytes > 10e6, `${bytes} bytes of mappings`)
  assert.ok(afterKb < beforeKb - 5000, `${beforeKb} kB before, ${afterKb} kB after`)
  // What was dropped comes back when it is used: code of Node, its data, and the addon's own.
  assert.equal(new Intl.NumberFormat('de').format(1234.5), '1.234,5')
  assert.ok(loadAddon().bootTimeNs() > 0)
  assert.ok((await loadAddon().dropStartPages()).bytes >= 0)
})
