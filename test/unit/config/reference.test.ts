/** The table of keys in README is the one the schema makes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { referenceTable } from '../../../src/config/reference.ts'
import { packageRoot } from '../../../src/native/addon.ts'

it("README's table of keys is that of the schema", () => {
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8')
  const table = /^\| key \| variable \|[\s\S]*?(?=\n\n)/m.exec(readme)?.[0]
  assert.equal(
    table,
    referenceTable(),
    'write what referenceTable() of src/config/reference.ts gives into README.md',
  )
})
