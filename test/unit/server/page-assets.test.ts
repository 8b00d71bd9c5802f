import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AgentError } from '../../../src/errors.ts'
import { pageAssets } from '../../../src/server/page-assets.ts'

test('reads the built page once and hashes what goes into the document', () => {
  const root = mkdtempSync(join(tmpdir(), 'emberscope-assets-'))
  mkdirSync(join(root, 'dist'))
  for (const [name, text] of Object.entries({
    'viewer.js': 'run()\n',
    'viewer-worker.js': 'answer()\n',
    'viewer.css': 'p{}',
    'notices.txt': 'mine',
  })) {
    writeFileSync(join(root, 'dist', name), text)
  }
  const assets = pageAssets(root)
  rmSync(root, { recursive: true })
  assert.equal(pageAssets(root), assets)
  const { script, worker, style, notices } = assets
  assert.deepEqual([script, worker, style, notices], ['run()', 'answer()', 'p{}', 'mine'])
  assert.equal(assets.scriptHash, createHash('sha256').update('run()').digest('base64'))
})

test('says how to build a page that is missing', () => {
  assert.throws(
    () => pageAssets('/nowhere'),
    (error) =>
      error instanceof AgentError && error.code === 'internal' && /npm run build:ts/.test(error.message),
  )
})
