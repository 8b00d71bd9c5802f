/** Opens the files of a run with the tools they are made for. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findTool } from './host.ts'
import { assertValid } from './json-schema.ts'

const SPEEDSCOPE_SCHEMA = 'node_modules/speedscope/dist/release/file-format-schema.json'

/**
 * `go tool pprof` reads out.pb.gz without a word on standard error (where there is a go), and out.speedscope.json
 * follows speedscope's own schema. Returns the text of `-top`, '' without go.
 */
export function assertOpens(directory: string): string {
  assertValid(SPEEDSCOPE_SCHEMA, JSON.parse(readFileSync(join(directory, 'out.speedscope.json'), 'utf8')))
  if (findTool('go') === '') return ''
  const env = { ...process.env, PPROF_TMPDIR: directory }
  const args = ['tool', 'pprof', '-top', join(directory, 'out.pb.gz')]
  const { status, stdout, stderr } = spawnSync('go', args, { env, encoding: 'utf8', maxBuffer: 1 << 28 })
  assert.equal(status, 0, stderr)
  assert.equal(stderr, '')
  return stdout
}
