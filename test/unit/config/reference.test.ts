/** The table of keys in docs/configuration.md is the one the schema makes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { referenceTable } from '../../../src/config/reference.ts'
import { packageRoot } from '../../../src/native/addon.ts'

it('documents every key, as the schema has it', () => {
  const text = readFileSync(join(packageRoot(), 'docs/configuration.md'), 'utf8')
  const table = /^\| key \| variable \|[\s\S]*?(?=\n$)/m.exec(text)?.[0]
  assert.equal(
    table,
    referenceTable(),
    'write what referenceTable() of src/config/reference.ts gives into docs/configuration.md',
  )
})
