import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { narrowName, shortName } from '../../../src/model/short-name.ts'

const CASES: readonly [string, string][] = [
  ['uv_run', 'uv_run'],
  ['node::Start(int, char**)', 'node::Start'],
  [
    'bool v8::internal::Parser<unsigned char>::Parse<int>(v8::Isolate*, int) const',
    'v8::internal::Parser<unsigned char>::Parse<int>',
  ],
  [
    'v8::MaybeHandle<v8::Object> v8::(anonymous namespace)::Invoke(v8::Isolate*)',
    'v8::(anonymous namespace)::Invoke',
  ],
  ['f(int) [clone .part.0]', 'f [clone .part.0]'],
  ['std::vector<int, std::allocator<int> >::~vector()', 'std::vector<int, std::allocator<int> >::~vector'],
  ['main::{lambda(int)#1}::operator()(int) const', 'main::{lambda(int)#1}::operator()(int) const'],
  ['auto f<int>(int)::{lambda(auto:1)#1}::g() const', 'f<int>(int)::{lambda(auto:1)#1}::g'],
  ['decltype (a->b) f<A>(A)', 'f<A>'],
  [
    '<core::iter::Map<I,F> as core::iter::Iterator>::fold',
    '<core::iter::Map<I,F> as core::iter::Iterator>::fold',
  ],
  ['main.(*Server).Serve', 'main.(*Server).Serve'],
  ['JS:*handle /tmp/a (1).js:9:23', 'JS:*handle a (1).js:9:23'],
  ['JS:~ file:///srv/app/main.mjs:1:1', 'JS:~ main.mjs:1:1'],
  ['JS:~load node:internal/modules/run_main:155:31', 'JS:~load node:internal/modules/run_main:155:31'],
  ['py::fib:/srv/app.py', 'py::fib:app.py'],
  ['bool operator==<char>(std::string const&)', 'bool operator==<char>(std::string const&)'],
  ['(anonymous namespace)::run(int)', '(anonymous namespace)::run'],
  ['node+0x1234', 'node+0x1234'],
  ['java.util.HashMap.get(Object)', 'java.util.HashMap.get'],
  [')(', ')('],
  ['((((', '(((('],
  ['', ''],
]

describe('shortName', () => {
  for (const [name, short] of CASES)
    it(`shows ${name || 'nothing'} as ${short || 'nothing'}`, () => assert.equal(shortName(name), short))

  it('is quick on a name of 32 KiB', () => {
    const name = `f${'<'.repeat(16_000)}${'>'.repeat(16_000)}(int)`
    assert.equal(shortName(name), name.slice(0, -5))
  })
})

describe('narrowName', () => {
  it('keeps a name that fits', () => assert.equal(narrowName('ns::f(int)', 5), 'ns::f'))

  it('drops leading namespaces, and only as many as needed', () => {
    assert.equal(
      narrowName('v8::internal::JsonParser<unsigned char>::Parse()', 40),
      '…JsonParser<unsigned char>::Parse',
    )
    assert.equal(narrowName('v8::internal::Heap::Allocate', 20), '…Heap::Allocate')
  })

  it('drops leading packages of Java and Go, nothing of a path or an operator', () => {
    assert.equal(narrowName('java/util/DualPivotQuicksort.sort', 24), '…DualPivotQuicksort.sort')
    assert.equal(narrowName('java/util/Arrays.sort', 18), '…util/Arrays.sort')
    assert.equal(narrowName('github.com/acme/shop.(*Cart).Total', 20), '…shop.(*Cart).Total')
    assert.equal(narrowName('slices.Sort[go/x.T]', 5), 'slices.Sort[go/x.T]')
    assert.equal(narrowName('/usr/lib/libfoo.so', 5), '/usr/lib/libfoo.so')
  })

  it('does not cut inside brackets, nor the last part', () => {
    assert.equal(narrowName('a::b<c::d>::the_name_of_a_function', 10), '…the_name_of_a_function')
    assert.equal(narrowName('std::map<std::string, std::string>', 10), '…map<std::string, std::string>')
  })
})
