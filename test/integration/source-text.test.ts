/** `--source` on programs that are compiled here: the lines that were sampled, from where the program's process sees them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readProfileFile } from '../../src/formats/read-any.ts'
import type { Profile } from '../../src/model/profile.ts'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, scratchDirectory } from '../helpers/profile-run.ts'

const BURN = `#include <time.h>
static volatile unsigned long sum;
/* the hot one */
static void burn(void) {
  for (int i = 0; i < 1000000; i++)
    sum += i * 7u;
}
int main(void) {
  clock_t end = clock() + CLOCKS_PER_SEC;
  while (clock() < end)
    burn();
}
`

/** A directory with main.c and the program of it; `head` comes before its text. */
function program(head = ''): { readonly directory: string; readonly source: string; readonly path: string } {
  const directory = scratchDirectory()
  chmodSync(directory, 0o755)
  const source = join(directory, 'main.c')
  writeFileSync(source, head + BURN)
  const path = join(directory, 'program')
  execFileSync('cc', ['-g', '-O1', '-o', path, source])
  return { directory, source, path }
}

async function profileOf(directory: string, command: readonly string[]): Promise<Profile> {
  const out = join(directory, 'out')
  const files = ['-o', `${out}.json`, '-o', `${out}.html`, '-o', `${out}.pb.gz`]
  const run = await runCommand(['--source', '--no-open', ...files, '-F', '299', '--', ...command])
  assert.equal(run.status, 0, run.stderr)
  const profile = await readProfileFile(`${out}.json`)
  assert.deepEqual((await readProfileFile(`${out}.html`)).sources, profile.sources)
  assert.equal((await readProfileFile(`${out}.pb.gz`)).sources, undefined)
  return profile
}

/** Text by line, of one file. */
function textOf({ sources = [] }: Profile, fileName: string): Map<number, string> {
  const chunks = sources.filter((source) => source.fileName === fileName)
  return new Map(
    chunks.flatMap(({ firstLine, lines }) => lines.map((text, i) => [firstLine + i, text] as const)),
  )
}

/** Sampled lines of a file. */
function sampledLines({ locations, functions }: Profile, fileName: string): number[] {
  const lines = locations.flatMap((location) => location.lines)
  return lines.filter((at) => functions[at.function]!.fileName === fileName).map(({ line }) => line)
}

const noteOf = ({ capture }: Profile) => capture!.notes.find((note) => note.startsWith('--source')) ?? ''

describe('source text', { skip: skipUnless('cc', 'setpriv', 'unshare') }, () => {
  it('of each sampled line is in the page and in the JSON, as it is in the file', async () => {
    const { directory, source, path } = program()
    const profile = await profileOf(directory, [path])
    const text = textOf(profile, source)
    const lines = readFileSync(source, 'utf8').split('\n')
    const sampled = sampledLines(profile, source)
    assert.ok(sampled.includes(6), `line 6 burns; sampled were ${sampled}`)
    for (const line of sampled) if (line > 0) assert.equal(text.get(line), lines[line - 1])
    assert.match(noteOf(profile), /the text of 1 of \d+ source files? is kept/)
  })

  it('comes from the file system of the process, not from ours', async () => {
    const { directory, source, path } = program()
    const other = join(directory, 'other.c')
    writeFileSync(other, BURN.replace('the hot one', 'as the process sees it'))
    const script = `mount --bind ${other} ${source} && exec ${path}`
    const profile = await profileOf(directory, ['unshare', '-m', 'sh', '-c', script])
    assert.equal(textOf(profile, source).get(3), '/* as the process sees it */')
  })

  it('is none of what the user of the process may not read, whatever the binary claims', async () => {
    const secret = join(scratchDirectory(), 'secret')
    writeFileSync(secret, 'a secret\n'.repeat(40))
    chmodSync(secret, 0o600)
    const { directory, path } = program(`#line 1 "${secret}"\n`)
    const profile = await profileOf(directory, [
      ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
      path,
    ])
    assert.ok(sampledLines(profile, secret).length > 0)
    assert.equal(textOf(profile, secret).size, 0)
    assert.match(noteOf(profile), /1 not for the user of the process to read/)
  })

  it('is none of what is no text, no file and not there', async () => {
    const claims = { '/bin/sh': '1 not text', '/dev/null': '1 not text', '/nowhere.c': 'not there' }
    for (const [file, reason] of Object.entries(claims)) {
      const { directory, path } = program(`#line 1 "${file}"\n`)
      const profile = await profileOf(directory, [path])
      assert.equal(textOf(profile, file).size, 0)
      assert.ok(noteOf(profile).includes(reason), noteOf(profile))
    }
  })

  it('is missed and said so where nothing has lines', async () => {
    const { directory, path } = program()
    const bare = join(directory, 'bare')
    mkdirSync(bare)
    execFileSync('strip', ['-o', join(bare, 'program'), path])
    const profile = await profileOf(bare, [join(bare, 'program')])
    assert.deepEqual(profile.sources, [])
    assert.match(noteOf(profile), /no sampled frame has a source file|the text of 0 of/)
  })
})
