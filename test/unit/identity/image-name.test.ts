import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseImageName, versionOfImage } from '../../../src/identity/image-name.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const CASES: readonly (readonly [string, string, string, string, string])[] = [
  ['nginx', 'nginx', '', '', ''],
  ['nginx:1.25', 'nginx', '1.25', '', '1.25'],
  ['registry:5000/team/app', 'registry:5000/team/app', '', '', ''],
  ['registry:5000/team/app:v2', 'registry:5000/team/app', 'v2', '', 'v2'],
  [`app@${DIGEST}`, 'app', '', DIGEST, DIGEST],
  [`app:v1@${DIGEST}`, 'app', 'v1', DIGEST, `v1@${DIGEST}`],
  [`docker-pullable://app@${DIGEST}`, 'app', '', DIGEST, DIGEST],
  [DIGEST, '', '', DIGEST, DIGEST],
  ['', '', '', '', ''],
]

for (const [reference, name, tag, digest, version] of CASES) {
  test(`image ${JSON.stringify(reference)}`, () => {
    const image = parseImageName(reference)
    assert.deepEqual(image, { name, tag, digest })
    assert.equal(versionOfImage(image), version)
  })
}
