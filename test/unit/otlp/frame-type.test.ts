import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FrameKind, Profile } from '../../../src/model/profile.ts'
import { frameTypeOf, kindOfFrameType } from '../../../src/otlp/frame-type.ts'
import { capturedProfile } from '../formats/sample-profile.ts'

function typeOf(kind: FrameKind, systemName: string, fileName = ''): string {
  const profile: Profile = {
    ...capturedProfile(),
    functions: [
      { name: 'inlined', systemName: '_RNvCs1_1a1f', fileName: 'inlined.rs', startLine: 0 },
      { name: systemName, systemName, fileName, startLine: 0 },
    ],
  }
  const lines = [
    { function: 0, line: 1, column: 0 },
    { function: 1, line: 1, column: 0 },
  ]
  const location = { mapping: 0, address: 0n, lines, isFolded: false, kind, unnamedReason: '' }
  return frameTypeOf(profile, location)
}

test('a language is named only where the frame proves it', () => {
  assert.equal(typeOf('native', 'main', 'src/main.c'), 'native')
  assert.equal(typeOf('native', 'main.main', '/src/main.go'), 'go')
  assert.equal(typeOf('native', 'main.main'), 'native')
  assert.equal(typeOf('native', '_RNvCsabc_3app4main'), 'rust')
  assert.equal(typeOf('native', '_ZN3app4main17h0123456789abcdefE'), 'rust')
  assert.equal(typeOf('native', '_ZN3app4mainEv'), 'native')
  assert.equal(typeOf('native', 'poll', 'tokio/src/task.rs'), 'rust')
  assert.equal(typeOf('kernel', 'do_syscall_64', 'x.rs'), 'kernel')
  assert.equal(typeOf('jit', 'JS:*handler file:///srv/app.js:1:2'), 'v8js')
  assert.equal(typeOf('jit', 'py::work:/app/x.py'), 'cpython')
  assert.equal(typeOf('jit', 'Lcom/shop/Cart;::total'), 'jvm')
  assert.equal(typeOf('jit', 'YJIT: x'), 'jit')
  assert.equal(typeOf('interpreted', 'f'), 'interpreted')
})

test('each type means a kind of frame, unknown ones none in particular', () => {
  const kinds = [
    'kernel',
    'v8js',
    'jvm',
    'cpython',
    'go',
    'rust',
    'native',
    'abort-marker',
    'constructor',
    '',
  ]
  assert.deepEqual(kinds.map(kindOfFrameType), [
    'kernel',
    'jit',
    'jit',
    'interpreted',
    'native',
    'native',
    'native',
    'native',
    'native',
    'native',
  ])
})
