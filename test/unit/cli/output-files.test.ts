import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { checkOutputs, collected, type Placement, writeOutput } from '../../../src/cli/output-files.ts'
import { parseOutputs } from '../../../src/cli/output-plan.ts'

let cwd = ''
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'outputs-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

function placed(more: Partial<Placement> = {}): Placement {
  return { cwd, force: false, renumber: false, owner: null, ...more }
}
function check(path: string, more: Partial<Placement> = {}): void {
  checkOutputs(parseOutputs([path]), placed(more))
}
function refused(reason: RegExp) {
  return (error: { code?: string; message: string }) =>
    error.code === 'output_refused' && reason.test(error.message)
}

describe('checkOutputs', () => {
  it('accepts a new file and leaves no trace', () => {
    check('a.html')
    assert.deepEqual(readdirSync(cwd), [])
  })
  it('refuses an existing file without --force, dangling links too', () => {
    writeFileSync(join(cwd, 'a.html'), 'x')
    symlinkSync('/nowhere', join(cwd, 'l.html'))
    assert.throws(() => check('a.html'), refused(/^cannot write a\.html: it exists; .*--force$/))
    assert.throws(() => check('l.html'), refused(/it exists/))
    check('a.html', { force: true })
    check('a.html', { renumber: true })
  })
  it('refuses a missing directory, a file as directory and a directory as file', () => {
    mkdirSync(join(cwd, 'd.html'))
    writeFileSync(join(cwd, 'file'), '')
    assert.throws(() => check('no/a.html'), refused(/the directory .*\/no does not exist/))
    assert.throws(() => check('file/a.html'), refused(/is not a directory/))
    assert.throws(() => check('d.html', { force: true }), refused(/it is a directory/))
  })
  it('refuses where no file can be created', () => {
    assert.throws(() => check('/proc/a.html'), refused(/no file can be created there|permission denied/))
  })
  it('refuses names that the file system cannot hold, and links in a circle', () => {
    assert.throws(() => check(`${'n'.repeat(300)}.html`), refused(/the file name is too long/))
    symlinkSync('circle', join(cwd, 'circle'))
    assert.throws(() => check('circle/a.html'), refused(/the symbolic links go round in circles/))
  })
  it('refuses two paths to one file, through a link too', () => {
    symlinkSync('.', join(cwd, 'here'))
    for (const path of ['./a.html', 'here/a.html', join(cwd, 'a.html')]) {
      assert.throws(() => checkOutputs(parseOutputs(['a.html', path]), placed()), {
        code: 'usage',
        message: `-o a.html and -o ${path} are the same file`,
      })
    }
  })
  it('has nothing against standard output', () => {
    check('-')
  })
})

describe('writeOutput', () => {
  it('writes text and bytes in order', () => {
    const file = writeOutput('a.json', 'json', ['é', Buffer.from([1, 2]), 'b'], placed())
    assert.deepEqual(file, { path: 'a.json', format: 'json', bytes: 5 })
    assert.deepEqual([...readFileSync(join(cwd, 'a.json'))], [0xc3, 0xa9, 1, 2, 0x62])
    assert.deepEqual(readdirSync(cwd), ['a.json'])
  })
  it('numbers a taken default name and replaces nothing', () => {
    const paths = [1, 2, 3].map(
      (n) => writeOutput('p.html', 'html', [`${n}`], placed({ renumber: true })).path,
    )
    assert.deepEqual(paths, ['p.html', 'p-2.html', 'p-3.html'])
    assert.equal(readFileSync(join(cwd, 'p.html'), 'utf8'), '1')
  })
  it('refuses a file that appeared since the check, and replaces it with --force', () => {
    writeFileSync(join(cwd, 'a.json'), 'theirs')
    assert.throws(() => writeOutput('a.json', 'json', ['ours'], placed()), refused(/created meanwhile/))
    assert.equal(readFileSync(join(cwd, 'a.json'), 'utf8'), 'theirs')
    writeOutput('a.json', 'json', ['ours'], placed({ force: true }))
    assert.equal(readFileSync(join(cwd, 'a.json'), 'utf8'), 'ours')
    assert.deepEqual(readdirSync(cwd), ['a.json'])
  })
  it('leaves nothing behind when the contents fail half way', () => {
    const contents = function* (): Generator<string> {
      yield 'half'
      throw new Error('encoder broke')
    }
    assert.throws(() => writeOutput('a.json', 'json', contents(), placed()), /encoder broke/)
    assert.deepEqual(readdirSync(cwd), [])
  })
  it('names the reason when the directory vanished meanwhile', () => {
    rmSync(cwd, { recursive: true })
    assert.throws(
      () => writeOutput('a.json', 'json', ['x'], placed()),
      refused(/^cannot write a\.json: no file can be created there$/),
    )
    mkdirSync(cwd)
  })
  it('gives the file to the invoking user', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
    writeOutput('a.json', 'json', ['x'], placed({ owner: { uid: 1234, gid: 4321, name: 'u', home: '' } }))
    const { uid, gid } = statSync(join(cwd, 'a.json'))
    assert.deepEqual([uid, gid], [1234, 4321])
  })
})

describe('collected', () => {
  it('makes few large buffers of many small pieces', () => {
    const pieces = Array.from({ length: 100_000 }, () => '0123456789')
    const buffers = [...collected(pieces)]
    assert.equal(buffers.length, 4)
    assert.equal(
      buffers.reduce((sum, b) => sum + b.length, 0),
      1_000_000,
    )
    assert.deepEqual([...collected([])], [])
  })
})
