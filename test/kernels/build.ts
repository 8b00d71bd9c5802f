/** Compiles what runs in the test machines, and gathers it as the files of an initramfs. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wno-missing-field-initializers']

/** The objects that node-gyp made of the sampler's sources; what talks to Node stays out. */
function samplerObjects(): string[] {
  const gyp = readFileSync('binding.gyp', 'utf8')
  const addon = gyp.slice(gyp.indexOf('"sources"'), gyp.indexOf('"include_dirs"'))
  const names = [...addon.matchAll(/"(native\/[^"]+)\.cc"/g)].map(([, name]) => name!)
  const ours = names.filter((name) => !/\/addon$|_binding$/.test(name))
  return ours.map((name) => join('build/Release/obj.target/addon', `${name}.o`))
}

/** Throws with the compiler's words where a program does not compile. */
function run([command, ...args]: string[]): string {
  const result = spawnSync(command!, args, { encoding: 'utf8', maxBuffer: 64 << 20 })
  if (result.status === 0) return result.stdout
  throw new Error(`\`${command} ${args.join(' ')}\` failed: ${result.error?.message ?? result.stderr}`)
}

/** Files by their path in the machine. `out`: where programs go. The addon must be built. */
export function build(out: string): Map<string, Uint8Array> {
  const [driver, known, list] = ['driver', 'known', 'known.symbols'].map((name) => join(out, name))
  const places = ['test/kernels/driver.cc', 'test/kernels/chains.cc', ...samplerObjects()]
  const cxx = ['g++', '-std=c++20', '-O1', '-fno-exceptions', ...WARNINGS, '-Inative', '-Ibpf']
  run([...cxx, '-static', ...places, '-o', driver!, '-lbpf', '-lelf', '-lz', '-llzma'])
  // No frame pointers: only the tables know the way.
  const frames = ['-fomit-frame-pointer', '-fno-optimize-sibling-calls', '-fpie', '-pie']
  run(['gcc', '-O2', ...frames, ...WARNINGS, 'test/kernels/known.c', '-o', known!])
  writeFileSync(list!, run(['nm', '-S', '--defined-only', known!]))
  const libraryLines = run(['ldd', known!]).matchAll(/(\/\S+) \(0x/g)
  const files = [...libraryLines].map(([, path]) => [path!, readFileSync(path!)] as const)
  return new Map([
    ...files,
    ['/init', readFileSync(driver!)],
    ['/known', readFileSync(known!)],
    ['/known.symbols', readFileSync(list!)],
  ])
}
