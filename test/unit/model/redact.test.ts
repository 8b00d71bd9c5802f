import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { encodeProfile } from '../../../src/cli/encode.ts'
import { collected } from '../../../src/cli/output-files.ts'
import { OUTPUT_FORMATS } from '../../../src/cli/output-plan.ts'
import { readHtml } from '../../../src/formats/html.ts'
import { writeProfileJson } from '../../../src/formats/profile-json.ts'
import type { Label, Profile } from '../../../src/model/profile.ts'
import { checkProfile } from '../../../src/model/profile-check.ts'
import { redact, redactionText } from '../../../src/model/redact.ts'
import { topFunctions } from '../../../src/model/top.ts'
import { capturedProfile } from '../formats/sample-profile.ts'

let drawn = 0
const draw = () => (drawn++).toString(16).padStart(8, '0')

function named(names: readonly string[]): string[] {
  const base = capturedProfile()
  const functions = names.map((name) => ({ name, systemName: '', fileName: '', startLine: 0 }))
  const { profile } = redact(
    {
      ...base,
      functions,
      locations: [],
      stacks: { parent: new Int32Array(), location: new Int32Array() },
      samples: { ...base.samples, stack: new Int32Array(7).fill(-1) },
    },
    { draw },
  )
  return profile.functions.map(({ name }) => name.replace(/-[0-9a-f]{8}/g, '-#'))
}

test('paths keep their extension and nothing else; weights and functions stay', () => {
  const before = capturedProfile()
  const { profile, ...counts } = redact(before)
  assert.equal(checkProfile(profile), null)
  assert.match(profile.mappings[0]!.fileName, /^path-[0-9a-f]{8}$/)
  assert.equal(profile.mappings[1]!.fileName, '[kernel.kallsyms]')
  assert.match(profile.functions[0]!.fileName, /^path-[0-9a-f]{8}\.c$/)
  assert.equal(profile.functions[0]!.fileName, profile.functions[1]!.fileName)
  assert.match(profile.capture!.host.name, /^host-[0-9a-f]{8}$/)
  assert.deepEqual(profile.comments, [])
  assert.equal(profile.docUrl, '')
  const weights = (p: Profile) => topFunctions(p, 0).map(({ self, total }) => [self, total])
  assert.deepEqual(weights(profile), weights(before))
  assert.deepEqual(counts, { paths: 2, hostNames: 1, labelValues: 0, dropped: 3 })
})

test('the tokens of two runs have nothing in common', () => {
  const file = () => redact(capturedProfile()).profile.functions[0]!.fileName
  assert.notEqual(file(), file())
})

test('names of run-time code lose the paths in them, names of symbols stay as they are', () => {
  assert.deepEqual(
    named([
      'JS:*handler /home/alice/app.js:10:5',
      'JS:~f file:///home/alice smith/app.mjs:1:2',
      'py::run:/srv/shop/main.py',
      'run (/srv/shop/main.py:12)',
      'run (main.py:12)',
      'JS:*fn app.js:1:2',
      'LazyCompile:~x https://example.org/a.js:1:2',
      'fn C:\\Users\\alice\\x.js:3:4',
    ]),
    [
      'JS:*handler path-#.js:10:5',
      'JS:~f path-#.mjs:1:2',
      'py::run:path-#.py',
      'run (path-#.py:12)',
      'run (path-#.py:12)',
      'JS:*fn path-#.js:1:2',
      'LazyCompile:~x path-#.js:1:2',
      'fn path-#.js:3:4',
    ],
  )
  const symbols = [
    'github.com/acme/shop.(*Cart).Total', 'a::operator/(b const&)', 'JS:*emit node:events:500:4', 'std::vector<int>::at',
    '<alloc::vec::Vec<T> as core::ops::Drop>::drop', 'java.util.HashMap.get', 'sys_read', 'Lambda/0x00007f12.run', '/',
  ] // biome-ignore format: a list
  assert.deepEqual(named(symbols), symbols)
})

test('labels keep threads, and hide whom they run for', () => {
  const base = capturedProfile()
  const labels: Label[] = [
    { key: 'thread', str: 'worker' },
    { key: 'k8s.pod.name', str: 'shop-7d9f' },
    { key: 'file', str: 'alice.pb.gz' },
    { key: 'bytes', num: 12 },
  ]
  const { profile, labelValues } = redact({ ...base, labelSets: [labels, labels] }, { draw })
  assert.deepEqual(
    profile.labelSets[0]!.map(({ key, str, num }) => `${key}=${str ?? num}`.replace(/-[0-9a-f]{8}$/, '-#')),
    ['thread=worker', 'k8s.pod.name=k8s.pod.name-#', 'file=file-#', 'bytes=12'],
  )
  assert.equal(labelValues, 2)
})

test('names of hosts are hidden in names of threads, of the target and in notes, as words of their own', () => {
  const base = capturedProfile()
  const labels: Label[] = ['rpc@web-1', 'web-10', 'db.7 reader'].map((str) => ({ key: 'thread', str }))
  const capture = {
    ...base.capture!,
    target: { ...base.capture!.target, name: 'web-1' },
    host: { ...base.capture!.host, name: 'web-1' },
    notes: ['web-1 has no map, db.7 has'],
  }
  const { profile, hostNames } = redact(
    { ...base, capture, labelSets: [labels] },
    { draw: () => '0', hostNames: ['db.7', 'web-1', ''] },
  )
  assert.deepEqual(
    profile.labelSets[0]!.map(({ str }) => str),
    ['rpc@host-0', 'web-10', 'host-0 reader'],
  )
  const { target, notes } = profile.capture!
  assert.deepEqual([target.name, notes, hostNames], ['host-0', ['host-0 has no map, host-0 has'], 2])
})

test('says what is hidden and what is still there', () => {
  assert.equal(
    redactionText(redact(capturedProfile())),
    'hidden: 2 paths, 1 host name, 3 comments and source texts (dropped); still there: function names, thread names, pids, build ids, kernel version',
  )
})

test('a name of a megabyte costs no more than its length', () => {
  assert.equal(named([`f /${')'.repeat(1 << 20)}x`]).length, 1)
  assert.equal(named([`${'a.js '.repeat(1 << 18)}`]).length, 1)
})

/** Every file a profile can become, as text one can search; what is packed in it unpacked. */
async function outputs(profile: Profile): Promise<string[]> {
  const texts: string[] = []
  for (const { name, extension } of OUTPUT_FORMATS) {
    const bytes = Buffer.concat([...collected(await encodeProfile(profile, name, ''))])
    if (name === 'html') texts.push(JSON.stringify([...writeProfileJson(await readHtml(bytes, gunzipSync))]))
    const page = bytes.toString('latin1').replace(/<(script|style|pre)[\s\S]*?<\/\1>/g, '')
    texts.push(extension.endsWith('.gz') || name === 'pprof' ? gunzipSync(bytes).toString('latin1') : page)
  }
  return texts
}

const part = fc.stringMatching(/^[a-z]{6,9}$/).map((text) => `q${text}q`)
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)

test('no part of a path, of the host, of a label or of a comment is in any file', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(path, { minLength: 9, maxLength: 9 }), async (paths) => {
      const base = capturedProfile()
      const [a, b, c, d, e, f, g, h, i] = paths as [
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
        string,
      ]
      const profile: Profile = {
        ...base,
        mappings: base.mappings.map((mapping, at) => (at === 0 ? { ...mapping, fileName: a } : mapping)),
        functions: base.functions.map((entry, at) => ({
          ...entry,
          fileName: `${b}.js`,
          name: [`JS:*f ${c}.js:1:2`, `py::f:${d}`, `f (${e}.rb:3)`, `file://${f}`][at % 4]!,
          systemName: `g (${c}:1:2)`,
        })),
        labelSets: base.labelSets.map((labels) => [
          ...labels,
          { key: 'pod', str: g },
          { key: 'thread', str: `x ${h}` },
        ]),
        comments: [`command: run ${i}`],
        capture: {
          ...base.capture!,
          host: { ...base.capture!.host, name: i.replaceAll('/', '-') },
          notes: [`no names: ${h} is missing, see ${g}.`],
        },
        sources: [{ fileName: `${b}.js`, firstLine: 1, lines: [i] }],
      }
      const parts = paths.flatMap((text) => text.split('/').filter(Boolean))
      for (const text of await outputs(redact(profile).profile)) {
        for (const secret of parts) assert.ok(!text.includes(secret), `${secret} in ${text.slice(0, 200)}`)
      }
    }),
    { numRuns: 25 },
  )
  const whole = await outputs(capturedProfile())
  assert.ok(whole.every((text) => text.length > 20) && gzipSync('').length > 0)
})
