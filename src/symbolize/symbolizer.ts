/**
 * Window -> Profile: gives every distinct frame its name, its source line and its inlined functions, or the reason why
 * not. Executables are independent of each other and taken a few at a time; nothing in a file can make this reject.
 */
import { existsSync } from 'node:fs'
import type { Executable } from '../model/executable.ts'
import type { CountByReason, Profile } from '../model/profile.ts'
import type { Window } from '../model/window.ts'
import type { SymbolReaders } from '../native/symbols.ts'
import { type DemangleResult, demangle } from './demangle-client.ts'
import { type FindLines, NO_LINES, nameElfFrames } from './elf-frames.ts'
import { nameJitFrames } from './jit-frames.ts'
import { nameKernelFrames } from './kernel-frames.ts'
import { findLines } from './line-client.ts'
import type { NameCache } from './name-cache.ts'
import { type ExecutableFrames, type NamedFrames, unnamedFrames } from './named-frames.ts'
import { buildProfile } from './profile-builder.ts'
import { runtimeNotes } from './runtime-notes.ts'
import { samplesBelow } from './stack-weights.ts'
import { ASK_FAILURES, symbolizerPath } from './symbolizer-process.ts'

export interface SymbolizeOptions {
  /** The symbolizer executable; default: where this package has it. */
  readonly symbolizer?: string
  /** Default '/proc/kallsyms'. */
  readonly kallsyms?: string
  /** Time for the source lines of all files together, and again for all readable names. Default 20 s. */
  readonly budgetMs?: number
  /** What earlier windows were told; asked first, and told what is new. One window at a time. */
  readonly cache?: NameCache
}

export interface Symbolized {
  /** `capture` is null: what the capture knows is not known here. */
  readonly profile: Profile
  /** Frames weighted by samples; named + all of unnamed = frames of all stacks. */
  readonly frames: { readonly named: number; readonly unnamed: CountByReason }
  /** Sentences for the user, at most one a subject. */
  readonly notes: readonly string[]
}

/** Executables in work at a time: the readers use worker threads, of which node has four. */
const CONCURRENT = 3
const BUDGET_MS = 20_000
/** Files whose trouble is told one by one; more are counted. */
const MAX_FILE_NOTES = 4

/** Names every frame of the window. Never rejects for what it reads. */
export async function symbolize(
  window: Window,
  readers: SymbolReaders,
  options: SymbolizeOptions = {},
): Promise<Symbolized> {
  const run = prepareRun(options)
  const { cache } = options
  const sources = {
    readers: cache?.cached(readers) ?? readers,
    lines: run.lines,
    kallsyms: options.kallsyms ?? '/proc/kallsyms',
    cache,
  }
  const wanted = [...framesByExecutable(window)]
  const groups = await mapConcurrently(wanted, CONCURRENT, ([executable, frames]) =>
    nameFrames(window, executable, frames, sources).catch((error: unknown) =>
      unreadFrames(window.executables[executable]!, frames, error),
    ),
  )
  cache?.endWindow()
  const ask = (raw: Iterable<string>) => run.demangle(raw)
  const names = await (cache?.demangle(rawNames(groups), ask) ?? ask(rawNames(groups)))
  const profile = buildProfile(window, groups, names.readable)
  const nameOf = (frame: number) => {
    const line = profile.locations[frame]?.lines.at(-1)
    return line ? profile.functions[line.function]!.systemName : ''
  }
  const notes = [...run.notes, ...groupNotes(groups), ...runtimeNotes(window, nameOf)]
  if (names.failure)
    notes.push(`C++ and Rust names are shown as the linker knows them: ${ASK_FAILURES[names.failure]}`)
  return { profile, frames: countNamed(window, profile), notes }
}

/** What the symbolizer executable does for one run; without it, lines and readable names are missing, no more. */
interface SymbolizerRun {
  readonly lines: FindLines
  readonly demangle: (names: Iterable<string>) => Promise<DemangleResult>
  readonly notes: readonly string[]
}

function prepareRun(options: SymbolizeOptions): SymbolizerRun {
  const path = options.symbolizer ?? symbolizerPath()
  const budgetMs = options.budgetMs ?? BUDGET_MS
  if (!existsSync(path)) {
    return {
      lines: () => Promise.resolve(NO_LINES),
      demangle: () => Promise.resolve({ readable: new Map(), unread: 0, failure: '' }),
      notes: [
        `no source lines, inlined functions and readable C++ and Rust names: ${path} is missing; build it with \`npm start\` in a checkout`,
      ],
    }
  }
  const deadlineMs = performance.now() + budgetMs
  return {
    lines: (request) => findLines(path, request, Math.max(1, deadlineMs - performance.now())),
    demangle: (names) => demangle(path, names, budgetMs),
    notes: [],
  }
}

const noLines: FindLines = () => Promise.resolve(NO_LINES)

interface Sources {
  readonly readers: SymbolReaders
  readonly lines: FindLines
  readonly kallsyms: string
  readonly cache: NameCache | undefined
}

function nameFrames(
  window: Window,
  index: number,
  frames: ExecutableFrames,
  sources: Sources,
): Promise<NamedFrames> {
  const executable = window.executables[index]!
  switch (executable.kind) {
    case 'elf':
    case 'vdso': {
      const ask = (missing: ExecutableFrames, withLines = true) =>
        nameElfFrames(executable, missing, sources.readers, withLines ? sources.lines : noLines)
      return sources.cache?.name(executable, frames, ask) ?? ask(frames)
    }
    case 'kernel':
      return nameKernelFrames(sources.kallsyms, frames, sources.readers)
    case 'jit': {
      const ask = (missing: ExecutableFrames) => nameJitFrames(executable, missing, sources.readers)
      return sources.cache?.name(executable, frames, ask) ?? ask(frames)
    }
    case 'unknown': {
      const rows = unnamedFrames(executable.path, executable.buildId, frames, 'unmapped').frames
      return Promise.resolve({
        modules: [],
        frames: rows.map((row) => ({ ...row, module: -1 })),
        notes: [],
        fileNotes: [],
      })
    }
  }
}

/** A fault of a reader costs one executable its names, not the user the capture. */
function unreadFrames(executable: Executable, frames: ExecutableFrames, error: unknown): NamedFrames {
  const reason = error instanceof Error ? error.message : String(error)
  const unnamed = unnamedFrames(executable.path, executable.buildId, frames, 'not_elf')
  return { ...unnamed, fileNotes: [`${executable.path} could not be read: ${reason}`] }
}

/** Executable index -> its frames, in the window's order. */
function framesByExecutable(window: Window): Map<number, ExecutableFrames> {
  const lists = new Map<number, number[]>()
  window.frames.executable.forEach((executable, frame) => {
    const list = lists.get(executable)
    if (list) list.push(frame)
    else if (window.executables[executable]) lists.set(executable, [frame])
  })
  const columns = new Map<number, ExecutableFrames>()
  for (const [executable, frames] of lists) {
    columns.set(executable, {
      frames,
      addresses: Float64Array.from(frames, (frame) => window.frames.address[frame]!),
    })
  }
  return columns
}

/** Results in the order of `items`, at most `limit` under way. */
async function mapConcurrently<In, Out>(
  items: readonly In[],
  limit: number,
  work: (item: In) => Promise<Out>,
): Promise<Out[]> {
  const results: Out[] = new Array(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const i = next++
      results[i] = await work(items[i]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}

function* rawNames(groups: readonly NamedFrames[]): Iterable<string> {
  for (const { frames } of groups) for (const { chain } of frames) for (const { name } of chain) yield name
}

/** Notes of the groups: all that stand for a whole kind of frame, and the first few of those about one file. */
function groupNotes(groups: readonly NamedFrames[]): string[] {
  const aboutFiles = groups.flatMap((group) => group.fileNotes)
  const more = aboutFiles.length - MAX_FILE_NOTES
  const shown = aboutFiles.slice(0, MAX_FILE_NOTES)
  if (more > 0) shown.push(`${more} more files have such trouble`)
  return [...groups.flatMap((group) => group.notes), ...shown]
}

function countNamed(window: Window, profile: Profile): Symbolized['frames'] {
  const below = samplesBelow(window)
  const unnamed: Record<string, number> = {}
  let named = 0
  for (let node = 0; node < below.length; node++) {
    const location = profile.locations[window.stacks.location[node]!]!
    if (location.unnamedReason === '') named += below[node]!
    else unnamed[location.unnamedReason] = (unnamed[location.unnamedReason] ?? 0) + below[node]!
  }
  return { named, unnamed }
}
