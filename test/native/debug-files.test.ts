import assert from 'node:assert/strict'
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { loadAddon } from '../../src/native/addon.ts'
import type { DebugFiles } from '../../src/native/symbols.ts'
import { compile, resolveFile, run, temporaryDirectory } from '../helpers/elf-tools.ts'

const work = temporaryDirectory()
const program = compile(join(work, 'program'), 'program.c', '-g')
const debug = join(work, 'program.debug')
run('objcopy', ['--only-keep-debug', program, debug])
const linked = join(work, 'linked') // stripped, with a .gnu_debuglink to program.debug
run('objcopy', ['-S', `--add-gnu-debuglink=${debug}`, program, linked])
const { buildId } = await resolveFile(program, new Float64Array(0))
const BY_ID = `/usr/lib/debug/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`

/** A root directory holding copies: path inside -> file outside. */
function rootWith(files: Record<string, string>): string {
  const root = temporaryDirectory()
  for (const [inside, source] of Object.entries(files)) {
    mkdirSync(dirname(join(root, inside)), { recursive: true })
    copyFileSync(source, join(root, inside))
  }
  return root
}

async function find(file: string, path: string, root: string): Promise<DebugFiles> {
  const fd = openSync(file, 'r')
  try {
    return await loadAddon().findDebugFiles(fd, path, root)
  } finally {
    closeSync(fd)
  }
}

test('finds nothing for a file without debug data anywhere', async () => {
  assert.deepEqual(await find(linked, '/opt/app/linked', temporaryDirectory()), {
    debugFile: '',
    altFile: '',
  })
})

test('finds the debug file by build id below the root', async () => {
  const root = rootWith({ [BY_ID]: debug })
  assert.equal((await find(linked, '/opt/app/linked', root)).debugFile, root + BY_ID)
})

test('refuses a file of another build id', async () => {
  const other = compile(join(work, 'other'), 'program.c', '-O2')
  assert.equal((await find(linked, '/nowhere', rootWith({ [BY_ID]: other }))).debugFile, '')
})

for (const place of [
  '/opt/app/program.debug',
  '/opt/app/.debug/program.debug',
  '/usr/lib/debug/opt/app/program.debug',
]) {
  test(`follows .gnu_debuglink to ${place}`, async () => {
    const root = rootWith({ [place]: debug })
    assert.equal((await find(linked, '/opt/app/linked', root)).debugFile, root + place)
  })
}

test('refuses a .gnu_debuglink file whose CRC differs', async () => {
  const damaged = join(work, 'damaged')
  writeFileSync(damaged, Buffer.concat([readFileSync(debug), Buffer.from([1])]))
  assert.equal(
    (await find(linked, '/opt/app/linked', rootWith({ '/opt/app/program.debug': damaged }))).debugFile,
    '',
  )
})

test('looks in our own tree when the root has nothing', async () => {
  const place = join(work, 'program.debug')
  assert.equal((await find(linked, join(work, 'linked'), temporaryDirectory())).debugFile, place)
  assert.equal((await find(linked, join(work, 'linked'), '')).debugFile, place)
})

test('follows symbolic links inside the root and gives the path behind them', async () => {
  const root = rootWith({ '/data/real.debug': debug })
  mkdirSync(join(root, dirname(BY_ID)), { recursive: true })
  symlinkSync('/data/real.debug', join(root, BY_ID))
  assert.equal((await find(linked, '/nowhere', root)).debugFile, join(root, 'data/real.debug'))
})

test('never follows a link of the root to a file outside', async () => {
  const root = temporaryDirectory()
  mkdirSync(join(root, dirname(BY_ID)), { recursive: true })
  for (const target of [debug, `../../../../../../../../../../../..${debug}`]) {
    run('ln', ['-sfn', target, join(root, BY_ID)])
    assert.equal((await find(linked, '/nowhere', root)).debugFile, '')
  }
})

test('works through /proc/PID/root', async () => {
  const answer = await find(linked, join(work, 'linked'), `/proc/${process.pid}/root`)
  assert.equal(answer.debugFile, `/proc/${process.pid}/root${debug}`)
})

test('passes over a pipe and a directory where a debug file should be', async () => {
  const root = rootWith({ '/opt/app/.debug/program.debug': debug })
  run('mkfifo', [join(root, 'opt/app/program.debug')])
  mkdirSync(join(root, BY_ID), { recursive: true })
  assert.equal(
    (await find(linked, '/opt/app/linked', root)).debugFile,
    join(root, 'opt/app/.debug/program.debug'),
  )
})

test('finds the alternate file of the debug file, relative to it, by path or by build id', async () => {
  const alternate = compile(join(work, 'alternate'), 'library.c', '-shared', '-fPIC', '-g')
  const { buildId: alternateId } = await resolveFile(alternate, new Float64Array(0))
  const section = join(work, 'altlink')
  const altById = `/usr/lib/debug/.build-id/${alternateId.slice(0, 2)}/${alternateId.slice(2)}.debug`
  const inDwz = '/usr/lib/debug/.dwz/common.debug'
  for (const [link, place] of [
    ['../../.dwz/common.debug', inDwz],
    [inDwz, inDwz],
    ['/moved/away.debug', altById],
  ] as const) {
    writeFileSync(section, Buffer.concat([Buffer.from(`${link}\0`), Buffer.from(alternateId, 'hex')]))
    const withLink = join(work, 'with-altlink')
    run('objcopy', ['--add-section', `.gnu_debugaltlink=${section}`, debug, withLink])
    const root = rootWith({ [BY_ID]: withLink, [place]: alternate })
    assert.deepEqual(await find(linked, '/x', root), { debugFile: root + BY_ID, altFile: root + place }, link)
    const wrong = rootWith({ [BY_ID]: withLink, [place]: program })
    assert.equal((await find(linked, '/x', wrong)).altFile, '', 'another build id')
  }
})

test('finds the alternate file that dwz itself writes', async (context) => {
  const parts = ['one', 'two'].map((name) =>
    compile(join(work, name), 'program.c', '-g3', '-gdwarf-4', `-DPART=${name}`),
  )
  const common = join(work, 'common')
  try {
    run('dwz', ['-m', common, '-M', '/usr/lib/debug/.dwz/common', ...parts])
  } catch (error) {
    return context.skip(`dwz: ${error}`)
  }
  const root = rootWith({ '/usr/lib/debug/.dwz/common': common })
  const answer = await find(parts[0] ?? '', '/x', root)
  assert.equal(answer.altFile, join(root, 'usr/lib/debug/.dwz/common'))
})

test('takes a relative alternate link from where the debug file really lies', async () => {
  const section = join(work, 'relative-altlink')
  const withLink = join(work, 'with-relative-altlink')
  writeFileSync(section, Buffer.concat([Buffer.from('../.dwz/common\0'), Buffer.from(buildId, 'hex')]))
  run('objcopy', ['--add-section', `.gnu_debugaltlink=${section}`, debug, withLink])
  const root = rootWith({ '/usr/lib/debug/bin/app.debug': withLink, '/usr/lib/debug/.dwz/common': program })
  mkdirSync(join(root, dirname(BY_ID)), { recursive: true })
  symlinkSync('../../bin/app.debug', join(root, BY_ID))
  const answer = await find(linked, '/x', root)
  assert.equal(answer.altFile, join(root, 'usr/lib/debug/.dwz/common'))
})

test('answers for what is no ELF file and for odd paths', async () => {
  const text = join(work, 'text')
  writeFileSync(text, 'not an ELF file')
  assert.deepEqual(await find(text, '/x', ''), { debugFile: '', altFile: '' })
  for (const path of ['', '[vdso]', '//anon', `${linked} (deleted)`]) {
    const answer = await find(linked, path, '/proc/0/root')
    assert.equal(answer.altFile, '')
  }
})
