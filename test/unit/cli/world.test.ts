import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { commandName } from '../../../src/cli/world.ts'

it('knows a directory that was removed under us by its link', () => {
  const module = new URL('../../../src/cli/world.js', import.meta.url).href
  const script = `import(${JSON.stringify(module)}).then((m) => console.log(m.realWorld().cwd))`
  const gone = mkdtempSync(join(tmpdir(), 'gone-'))
  const shell = 'cd "$1" && rmdir "$1" && exec "$2" -e "$3"'
  const out = execFileSync('/bin/sh', ['-c', shell, 'sh', gone, process.execPath, script], {
    encoding: 'utf8',
  })
  assert.equal(out, '/proc/self/cwd\n')
})

it('names the command as the user can type it', () => {
  assert.equal(commandName('/usr/bin/profile', '/bin:/usr/bin', '/home'), 'profile')
  assert.equal(commandName('/home/x/profile', '/bin', '/home'), './x/profile')
  assert.equal(commandName('/home/x/profile', '/bin', '/srv'), '/home/x/profile')
})
