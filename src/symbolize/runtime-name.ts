/**
 * What the name of run-time code tells beside itself: V8 and Python write into a perf map where their function is defined, and no
 * map has the line that runs. The name stays as it is; only the frame's place is taken from it.
 */
import { fileURLToPath } from 'node:url'
import type { SourceFrame } from './answer.ts'
import { symbolFrame } from './named-frames.ts'

/** `JS:*fib /srv/app.js:7:13`: kind, tier, name (perhaps none, perhaps `get x`), script, line and column. */
const V8 =
  /^(?:JS|LazyCompile|Function|Eval|Script|RegExp):[*~^+]?.{0,1000}? ((?:file:\/\/)?\/.{1,4096}|node:[\w/.-]{1,200}):(\d{1,9}):\d{1,9}$/
/** `py::fib:/srv/app.py`, of `python -X perf`. */
const PYTHON = /^py::[^:]{0,1000}:(\/.{1,4096})$/

/** A frame of run-time code, with the file and the first line of its function where the name has them. */
export function runtimeFrame(name: string): SourceFrame {
  const [, script, line] = V8.exec(name) ?? []
  if (script !== undefined) return { ...symbolFrame(name), file: pathOf(script), startLine: Number(line) }
  const file = PYTHON.exec(name)?.[1]
  return file === undefined ? symbolFrame(name) : { ...symbolFrame(name), file }
}

/** An ES module is named by its address. */
function pathOf(script: string): string {
  if (!script.startsWith('file://')) return script
  try {
    return fileURLToPath(script)
  } catch {
    // An escape that is none: the name came from the process, and may be anything.
    return script
  }
}
