/** `--redact` on a real capture: a host name, paths and a command line that were planted are in none of its files. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { readProfileFile } from '../../src/formats/read-any.ts'
import { skipUnless } from '../helpers/host.ts'
import { runCommand, scratchDirectory } from '../helpers/profile-run.ts'

const HOST = 'planted-host-x1'
const PLANTED = [HOST, 'planted_directory', 'planted_argument', 'planted_source', 'planted_script']

const C_PROGRAM = `#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
static volatile unsigned long sum;
/* planted_source */
__attribute__((noinline)) static void burn(void) {
  for (int i = 0; i < 1000000; i++)
    sum += i * 7u;
}
int main(void) {
  char host[16] = {0};
  gethostname(host, 15);
  prctl(PR_SET_NAME, host);
  time_t end = time(0) + 1;
  while (time(0) < end + 1)
    burn();
}
`

const NODE_PROGRAM = `
function spin(n) { let x = 0; for (let i = 0; i < n; i++) x = Math.imul(x ^ i, 2654435761); return x }
const end = Date.now() + 2000
let sink = 0
while (Date.now() < end) sink += spin(1e6)
`

const FORMATS = ['html', 'json', 'pb.gz', 'folded', 'speedscope.json', 'svg', 'csv', 'otlp.json', 'otlp']

/** Every file as what a reader would see in it: unpacked, and as our own reader has it. */
async function textsOf(directory: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>()
  for (const name of readdirSync(directory)) {
    const bytes = readFileSync(join(directory, name))
    const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b
    texts.set(name, (isZipped ? gunzipSync(bytes) : bytes).toString('latin1'))
    const packed = /<script type="application\/octet-stream\+gzip"[^>]*>([^<]+)/.exec(texts.get(name)!)?.[1]
    if (packed === undefined) continue
    texts.set(`${name}, unpacked`, gunzipSync(Buffer.from(packed, 'base64')).toString('latin1'))
    const profile = await readProfileFile(join(directory, name))
    const written = JSON.stringify(profile, (_, value) => (typeof value === 'bigint' ? String(value) : value))
    texts.set(`${name}, read`, written)
  }
  return texts
}

interface Written {
  readonly directory: string
  /** Of all files, and of what was said. */
  readonly texts: Map<string, string>
}

/** Runs `profile` on a host of that name with every format as output. */
async function run(args: readonly string[], target: readonly string[] = []): Promise<Written> {
  const directory = scratchDirectory()
  const outputs = FORMATS.flatMap((format) => ['-o', join(directory, `out.${format}`)])
  const within = ['unshare', '--uts', 'sh', '-c', `hostname ${HOST} && exec "$@"`, 'sh']
  // A node program with a perf map leaves a log where it runs.
  const options = { within, cwd: scratchDirectory() }
  const { status, stdout, stderr } = await runCommand([...args, ...outputs, ...target], options)
  assert.equal(status, 0, stderr)
  const texts = await textsOf(directory)
  assert.equal(readdirSync(directory).length, FORMATS.length)
  return { directory, texts: texts.set('standard output', stdout.replaceAll(directory, '')) }
}

/** Captures a command. */
const capture = (command: readonly string[], ...options: string[]): Promise<Written> =>
  run(['--no-open', '--json', '-F', '199', ...options], ['--', ...command])

function planted(texts: ReadonlyMap<string, string>): string[] {
  return [...texts].flatMap(([name, text]) =>
    PLANTED.filter((word) => text.includes(word)).map((word) => `${word} in ${name}`),
  )
}

describe('--redact on a capture', { skip: skipUnless('cc', 'unshare', 'hostname') }, () => {
  const directory = join(scratchDirectory(), 'planted_directory')
  mkdirSync(directory)

  it('hides what was planted from every format, for a C program', async () => {
    writeFileSync(join(directory, 'main.c'), C_PROGRAM)
    const program = join(directory, 'program')
    execFileSync('cc', ['-g', '-O1', '-o', program, join(directory, 'main.c')])
    const command = [program, '--token=planted_argument']
    const open = await capture(command, '--source', '--command-line')
    const found = planted(open.texts)
    for (const word of PLANTED.slice(0, 4))
      assert.ok(
        found.some((place) => place.startsWith(word)),
        word,
      )
    assert.deepEqual(planted((await capture(command, '--redact')).texts), [])
    for (const file of ['out.html', 'out.json', 'out.pb.gz', 'out.otlp'])
      assert.deepEqual(
        planted((await run(['export', join(open.directory, file), '--redact'])).texts),
        [],
        file,
      )
  })

  it('hides the script in the names of run-time code as well', async () => {
    const script = join(directory, 'planted_script.js')
    writeFileSync(script, NODE_PROGRAM)
    const command = [process.execPath, '--perf-basic-prof', '--interpreted-frames-native-stack', script]
    const { texts } = await capture(command, '--redact')
    assert.deepEqual(planted(texts), [])
    assert.match(texts.get('out.folded')!, /JS:\*spin path-[0-9a-f]{8}\.js:\d+:\d+/)
  })
})
