import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AgentError, ERROR_CODES, type ErrorCode } from '../../../src/errors.ts'
import { packageRoot } from '../../../src/native/addon.ts'

const codes = Object.keys(ERROR_CODES) as ErrorCode[]

describe('error codes', () => {
  it("are README's table: code, exit code, meaning, in one order", () => {
    const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8')
    const rows = [...readme.matchAll(/^\| `([a-z_]+)` \| (\d+) \| (.+?) \|$/gm)]
    assert.deepEqual(
      rows.map(([, code, exit, meaning]) => ({ code, exit: Number(exit), meaning })),
      codes.map((code) => ({ code, ...ERROR_CODES[code] })),
    )
  })

  it('end with the exit codes of the command line: 1 to 5, and 10 of a gate', () => {
    assert.deepEqual([...new Set(codes.map((code) => ERROR_CODES[code].exit))], [1, 2, 3, 4, 5, 10])
  })
})

describe('AgentError', () => {
  it('carries code, exit code and cause', () => {
    const cause = new Error('EACCES')
    const error = new AgentError('not_permitted', 'cannot open x: EACCES; run as root', { cause })
    assert.ok(error instanceof Error)
    assert.deepEqual(
      [error.name, error.code, error.exitCode, error.message, error.cause],
      ['AgentError', 'not_permitted', 3, 'cannot open x: EACCES; run as root', cause],
    )
  })

  it('has no cause of its own', () => {
    assert.equal('cause' in new AgentError('usage', 'wrong'), false)
  })
})
