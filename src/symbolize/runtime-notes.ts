/**
 * Tells users of a language runtime why its functions have no names, and what to start it with. A runtime is known by
 * the process's name, else by the files the window saw code of.
 */

import { RUNTIMES, type Runtime } from '../model/runtimes.ts'
import type { Window } from '../model/window.ts'
import { percentText } from '../stats/percent-text.ts'
import { samplesWith } from './stack-weights.ts'

const OTHER: Runtime = {
  name: 'a program that makes code at run time',
  comm: /^/,
  file: /^/,
  remedy: 'let its runtime write /tmp/perf-PID.map',
}

/** The loop of CPython's interpreter: where it is on a stack, python functions are at work. */
const PYTHON_LOOP = '_PyEval_EvalFrameDefault'
/** How `python -X perf` begins the names in its perf map. */
const PYTHON_PERF_PREFIX = 'py::'

function runtimeOf(window: Window, executable: number): Runtime {
  const comm = window.executables[executable]!.comm
  const byName = RUNTIMES.find((runtime) => runtime.comm.test(comm))
  if (byName) return byName
  const byFile = RUNTIMES.filter((runtime) => window.executables.some(({ path }) => runtime.file.test(path)))
  return byFile.length === 1 ? byFile[0]! : OTHER
}

/**
 * Notes on frames made at run time that have no name, and on python's interpreter, each with its share of samples.
 * `nameOf`: raw name of a frame's physical function, '' when it has none.
 */
export function runtimeNotes(window: Window, nameOf: (frame: number) => string): string[] {
  const samples = window.samples.stack.length
  if (samples === 0) return []
  const runtimes = new Map<Runtime, Set<number>>()
  window.executables.forEach((executable, i) => {
    if (executable.kind !== 'jit') return
    const runtime = runtimeOf(window, i)
    runtimes.set(runtime, (runtimes.get(runtime) ?? new Set()).add(i))
  })
  const notes: string[] = []
  for (const [runtime, executables] of runtimes) {
    const isUnnamed = (frame: number) =>
      executables.has(window.frames.executable[frame]!) && nameOf(frame) === ''
    const hit = samplesWith(window, isUnnamed)
    if (hit > 0)
      notes.push(
        `${percentText(hit, samples)} of samples have unnamed functions of ${runtime.name}: ${runtime.remedy}`,
      )
  }
  return notes.concat(pythonNotes(window, nameOf))
}

function pythonNotes(window: Window, nameOf: (frame: number) => string): string[] {
  let loops = false
  for (let frame = 0; frame < window.frames.address.length; frame++) {
    const name = nameOf(frame)
    if (name.startsWith(PYTHON_PERF_PREFIX)) return []
    if (name === PYTHON_LOOP) loops = true
  }
  if (!loops) return []
  const hit = samplesWith(window, (frame) => nameOf(frame) === PYTHON_LOOP)
  const share = percentText(hit, window.samples.stack.length)
  return [
    `${share} of samples run python code, whose functions are not shown: start it with \`python -X perf\` (3.12+)`,
  ]
}
