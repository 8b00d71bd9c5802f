import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type PageAssets, readHtml, readHtmlBaseline, writeHtml } from '../../../src/formats/html.ts'
import { inDrawingOrder } from '../../../src/formats/packed-order.ts'
import { nodeServerProfile, profileOf } from '../../helpers/sample-profile.ts'

const sha = (text: string): string => createHash('sha256').update(text).digest('base64')
const assets: PageAssets = {
  script: 'start()',
  worker: 'answer()',
  style: 'p{}',
  notices: 'a <b> & c',
  scriptHash: sha('start()'),
  styleHash: sha('p{}'),
}

test('gives the profile back', async () => {
  const profile = nodeServerProfile()
  const page = writeHtml(profile, assets, gzipSync)
  assert.deepEqual(await readHtml(page, gunzipSync), inDrawingOrder(profile))
  assert.deepEqual(await readHtml(new TextEncoder().encode(page), gunzipSync), inDrawingOrder(profile))
})

test('a comparison holds both profiles, and is the newer one to whoever asks for one', async () => {
  const [newer, older] = [nodeServerProfile(), profileOf([{ frames: ['main', 'older'], count: 3 }])]
  const page = writeHtml(newer, assets, gzipSync, older)
  assert.deepEqual(await readHtml(page, gunzipSync), inDrawingOrder(newer))
  assert.deepEqual(await readHtmlBaseline(page, gunzipSync), inDrawingOrder(older))
  assert.equal(await readHtmlBaseline(writeHtml(newer, assets, gzipSync), gunzipSync), null)
  await assert.rejects(
    readHtmlBaseline(page.replace(/baseline">..../, 'baseline">!!!!'), gunzipSync),
    /base64/,
  )
})

test('lets only the two bundled texts run', () => {
  const page = writeHtml(nodeServerProfile(), assets, gzipSync)
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!
  assert.match(policy, /default-src 'none'/)
  assert.ok(policy.includes(`script-src 'sha256-${assets.scriptHash}'`))
  assert.ok(!policy.includes('unsafe'))
  assert.doesNotMatch(page, /https?:/)
})

test('writes no text of the profile as markup', () => {
  const evil = '</script><img src=x onerror=alert(1)>'
  const profile = { ...profileOf([{ frames: [evil], count: 1 }]), comments: [evil] }
  const page = writeHtml(profile, { ...assets, title: evil, notices: evil }, gzipSync)
  assert.ok(!page.includes('<img'))
})

test('refuses assets that would end their own element', () => {
  assert.throws(
    () => writeHtml(profileOf([]), { ...assets, script: 'x="</script>"' }, gzipSync),
    /closing tag/,
  )
  assert.throws(
    () => writeHtml(profileOf([]), { ...assets, worker: 'x="</script>"' }, gzipSync),
    /closing tag/,
  )
})

test('says what is wrong with a page it cannot read', async () => {
  const page = writeHtml(nodeServerProfile(), assets, gzipSync)
  await assert.rejects(readHtml('<html></html>', gunzipSync), /not a page of Emberscope/)
  await assert.rejects(readHtml(page.slice(0, page.indexOf('octet-stream') + 300), gunzipSync), /cut off/)
  await assert.rejects(
    readHtml(page.replace(/emberscope-profile">..../, 'emberscope-profile">!!!!'), gunzipSync),
    /not base64/,
  )
  await assert.rejects(
    readHtml(page.replace(/emberscope-profile">..../, 'emberscope-profile">AAAA'), gunzipSync),
    /cannot be unpacked/,
  )
})
