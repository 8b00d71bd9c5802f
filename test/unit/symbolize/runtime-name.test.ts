import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runtimeFrame } from '../../../src/symbolize/runtime-name.ts'

test('names of V8 and Python tell file and first line, whatever is in the function name or the path', () => {
  for (const [name, file, startLine] of [
    ['JS:*fib /srv/app.js:7:13', '/srv/app.js', 7],
    ['JS:~ /srv/app.js:1:1', '/srv/app.js', 1],
    ['JS:^get value /srv/my app/a b.js:12:9', '/srv/my app/a b.js', 12],
    ['LazyCompile:*old /srv/app.js:3:4', '/srv/app.js', 3],
    ['JS:*f file:///srv/a%20b.mjs:5:6', '/srv/a b.mjs', 5],
    ['JS:*f file:///srv/%zz.mjs:5:6', 'file:///srv/%zz.mjs', 5],
    ['JS:~load node:internal/modules/run_main:155:31', 'node:internal/modules/run_main', 155],
    ['py::fib:/srv/app.py', '/srv/app.py', 0],
  ] as const)
    assert.deepEqual(runtimeFrame(name), { name, file, line: 0, column: 0, startLine })
})

test('other names of run-time code have no place, and a long one costs no time', () => {
  for (const name of [
    'Builtin:ArrayMap',
    'Lcom/acme/Shop;::sell',
    'JS:*f app.js:1:2',
    'JS:*f /srv/app.js',
    'RegExp:/a b/:1',
    'fib /srv/app.js:7:13',
    `JS:*${' /'.repeat(500_000)}`,
  ])
    assert.deepEqual([runtimeFrame(name).file, runtimeFrame(name).startLine], ['', 0], name.slice(0, 40))
})
