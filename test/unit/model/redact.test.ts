/** What may be shown to strangers: nothing of the paths, the host or the deployment is in any file that we write of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { encodeProfile } from '../../../src/cli/encode.ts'
import { OUTPUT_FORMATS } from '../../../src/cli/output-plan.ts'
import { readHtml } from '../../../src/formats/html.ts'
import { writeProfileJson } from '../../../src/formats/profile-json.ts'
import type { Profile } from '../../../src/model/profile.ts'
import { redact, redactionText } from '../../../src/model/redact.ts'
import { nodeServerProfile } from '../../helpers/sample-profile.ts'

const SECRET = 'acme-payroll'

/** A profile with the secret wherever one may be. */
function secretive(): Profile {
  const profile = nodeServerProfile()
  const [mapping, fn] = [profile.mappings[0]!, profile.functions[0]!]
  const capture = profile.capture!
  return {
    ...profile,
    mappings: [{ ...mapping, fileName: `/home/${SECRET}/bin/server` }, ...profile.mappings.slice(1)],
    functions: [
      { ...fn, name: `JS:*run /srv/${SECRET}/app.js:1:2`, fileName: `/srv/${SECRET}/app.js` },
      ...profile.functions.slice(1),
    ],
    labelSets: profile.labelSets.map((labels) => [...labels, { key: 'k8s.pod.name', str: `${SECRET}-7d9f` }]),
    comments: [`server --token ${SECRET}`],
    docUrl: `https://${SECRET}.example/`,
    capture: {
      ...capture,
      host: { ...capture.host, name: SECRET },
      notes: [`/tmp/${SECRET}/perf.map is missing`],
    },
    sources: [{ fileName: `/srv/${SECRET}/app.js`, firstLine: 1, lines: [`const key = '${SECRET}'`] }],
  }
}

test('no file of any format has a part of a path, the host, a label or a comment in it', async () => {
  const { profile } = redact(secretive())
  for (const { name, extension } of OUTPUT_FORMATS) {
    const parts: string[] = []
    for (const part of await encodeProfile(profile, name, '')) {
      const bytes = typeof part === 'string' ? Buffer.from(part) : Buffer.from(part)
      parts.push((bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('latin1'))
    }
    const text = parts.join('')
    assert.ok(!text.includes(SECRET), extension)
    if (name !== 'html') continue
    const inside = await readHtml(text, gunzipSync)
    assert.ok(![...writeProfileJson(inside)].join('').includes(SECRET), 'inside the page')
  }
  assert.ok(gzipSync([...writeProfileJson(secretive())].join('')).length > 0)
})

test('what tells of the program stays: names, weights, threads, extensions', () => {
  const before = secretive()
  const { profile } = redact(before)
  assert.deepEqual(profile.samples, before.samples)
  assert.deepEqual(profile.stacks, before.stacks)
  assert.deepEqual(
    profile.functions.slice(1).map(({ name }) => name),
    before.functions.slice(1).map(({ name }) => name),
  )
  assert.match(profile.functions[0]!.name, /^JS:\*run .*[0-9a-f]{8}\.js:1:2$/)
  assert.match(profile.functions[0]!.fileName, /\.js$/)
  assert.ok(profile.labelSets.flat().some(({ key }) => key === 'thread'))
})

test('equal texts have equal tokens in one profile, and others in the next', () => {
  const [one, two] = [redact(secretive()).profile, redact(secretive()).profile]
  const path = one.functions[0]!.fileName
  assert.ok(
    one.functions[0]!.name.includes(path.slice(0, -'.js'.length)),
    `${one.functions[0]!.name} has ${path}`,
  )
  assert.notEqual(path, two.functions[0]!.fileName)
})

test('the line about it counts what was hidden', () => {
  assert.match(
    redactionText(redact(secretive())),
    /^hidden: \d+ paths?, 1 host name, \d+ label values?, \d+ comments and source texts \(dropped\); still there: /,
  )
})
