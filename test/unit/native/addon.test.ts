import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { packageRoot } from '../../../src/native/addon.ts'

describe('packageRoot', () => {
  it('is the directory of package.json, from the compiled files too', () => {
    assert.ok(existsSync(join(packageRoot(), 'package.json')))
    assert.ok(existsSync(join(packageRoot(), 'bpf/abi.h')))
  })
})
