/** The table of keys in docs/configuration.md is the one the schema makes. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { loadConfig } from '../../../src/config/load.ts'
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

it('shows files that are right', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'emberscope-documented-'))
  const text = readFileSync(join(packageRoot(), 'docs/configuration.md'), 'utf8')
  const shown = [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)].map(([, indent, yaml]) =>
    yaml!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  )
  assert.ok(shown.length >= 2)
  for (const [index, yaml] of shown.entries()) {
    const file = join(directory, `${index}.yaml`)
    writeFileSync(file, yaml)
    const { warnings } = await loadConfig({ file, env: {}, flags: [] })
    assert.deepEqual(warnings, [])
  }
})
