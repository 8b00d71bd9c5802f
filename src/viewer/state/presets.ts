/**
 * The filters most readers want, in one table: each hides frames that are seldom the answer. Names are matched as they come from
 * symbol tables (C, C++, Rust, Go), perf maps (node), class files (JVM) and interpreters (Python).
 *
 * | preset | hides |
 * |---|---|
 * | libc | allocation, copying, start-up and thread entry of glibc and musl, and the C++ and Rust standard libraries' entry |
 * | runtime internals | V8, libuv and node's own C++; Go's scheduler and garbage collector; the JVM; CPython's eval loop; Tokio |
 * | kernel | everything below a system call, an interrupt or a page fault |
 */
import type { Chip } from '../../view/state.ts'

/** A named filter. */
export interface Preset {
  readonly name: string
  readonly meaning: string
  readonly chip: Chip
}

const LIBC = [
  '_*(?:GI_+)?(?:libc_)?(?:start(?:_main|_call_main)?|start_thread|clone3?|malloc|calloc|realloc|free|cfree|memalign|posix_memalign)',
  '_*(?:int_)?(?:malloc|free|realloc|memalign)(?:_consolidate)?',
  '_*(?:mem(?:cpy|move|set|chr|cmp)|str(?:len|cpy|cmp|chr|ncmp|ncpy))(?:_\\w+)?',
  'operator (?:new|delete)(?:\\[\\])?(?:\\(.*\\))?',
  'std::rt::lang_start.*|std::sys::.*thread_start|__rust_(?:begin|end)_short_backtrace.*',
].join('|')

const RUNTIME = [
  'v8::.*|node::.*|uv_.*|Builtins_.*|.*<v8::.*|node:internal/.*',
  'runtime\\.(?:mcall|park_m|schedule|findRunnable|gc\\w*|scan\\w*|mallocgc|mark\\w*|sweep\\w*|systemstack|goexit|main|morestack|newstack).*',
  'tokio::runtime::.*|std::panicking::.*|core::ops::function::.*',
  'JavaCalls::.*|JavaThread::.*|Thread::call_run.*|thread_native_entry.*|G1.*|ParallelGC.*|CompileBroker::.*|java\\.lang\\.reflect\\..*|jdk\\.internal\\..*',
  '_?Py(?:Eval|Object|Run|Frame|Vectorcall|Import)_.*|_PyEval_EvalFrameDefault|<frozen .*',
].join('|')

/** In the order of the menu. */
export const PRESETS: readonly Preset[] = [
  {
    name: 'hide libc',
    meaning: 'allocation, copying and start-up code of the C library',
    chip: { kind: 'hide', text: `/^(?:${LIBC})$/` },
  },
  {
    name: 'hide runtime internals',
    meaning: 'V8, Go’s scheduler and collector, the JVM, CPython’s eval loop, Tokio',
    chip: { kind: 'hide', text: `/^(?:${RUNTIME})$/` },
  },
  {
    name: 'hide kernel',
    meaning: 'everything below a system call or an interrupt',
    chip: { kind: 'hide', text: 'kind:kernel' },
  },
]

/** The name of a preset's chip, null for any other. */
export function presetName(chip: Chip): string | null {
  return (
    PRESETS.find((preset) => preset.chip.kind === chip.kind && preset.chip.text === chip.text)?.name ?? null
  )
}
