/**
 * `profile.frame.type` of a location, and the frame kind that a type means.
 * https://opentelemetry.io/docs/specs/semconv/registry/attributes/profile/
 *
 * The conventions want the most specific type that applies; we name a language only where the frame itself proves it:
 * a source file of that language, a mangling or a perf-map name that nothing else writes. 'jit' and 'interpreted' are
 * ours, for code of runtimes that we cannot tell.
 */
import type { FrameKind, Location, Profile } from '../model/profile.ts'

/** Rust's own mangling, or C++'s with the hash that only rustc appends. */
const RUST_SYMBOL = /^_R[A-Za-z]|^_ZN.*17h[0-9a-f]{16}E/

/** Names in perf maps, by the runtime that writes them so. */
const JIT_NAMES: readonly (readonly [type: string, name: RegExp])[] = [
  ['v8js', /^(JS|LazyCompile|Function|Script|Eval|RegExp|Builtin|BytecodeHandler):/],
  ['cpython', /^py::/],
  ['jvm', /^L[\w/$]+;::/],
]

/** Type of a location, by its outermost line: that is the one that was compiled here. */
export function frameTypeOf(profile: Profile, location: Location): string {
  const { kind, lines } = location
  if (kind === 'kernel' || kind === 'interpreted') return kind
  const outermost = profile.functions[lines[lines.length - 1]?.function ?? -1]
  if (outermost === undefined) return kind
  const { systemName, fileName } = outermost
  if (kind === 'jit') return JIT_NAMES.find(([, name]) => name.test(systemName))?.[0] ?? kind
  if (fileName.endsWith('.rs') || RUST_SYMBOL.test(systemName)) return 'rust'
  return fileName.endsWith('.go') ? 'go' : kind
}

const KINDS: Readonly<Record<string, FrameKind>> = {
  kernel: 'kernel',
  jit: 'jit',
  v8js: 'jit',
  jvm: 'jit',
  dotnet: 'jit',
  interpreted: 'interpreted',
  beam: 'interpreted',
  cpython: 'interpreted',
  luajit: 'interpreted',
  perl: 'interpreted',
  php: 'interpreted',
  ruby: 'interpreted',
}

/** The kind of frames of this type; native for all others, and for none. */
export function kindOfFrameType(type: string): FrameKind {
  return Object.hasOwn(KINDS, type) ? KINDS[type]! : 'native'
}
