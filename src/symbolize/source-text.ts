/**
 * The source text around the sampled lines of a profile, read from where the sampled processes see it, the hottest
 * files first and within limits. Every file that is wanted and not read is counted by its reason.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { CountByReason, Profile, SourceText } from '../model/profile.ts'
import type { Window } from '../model/window.ts'
import type { HeldRoots, ProcessRoot } from '../process/held-roots.ts'
import { type PathFault, pathInRoot } from '../process/path-in-root.ts'
import { type SourceLimits, sourceChunks } from './source-chunks.ts'
import { samplesBelow } from './stack-weights.ts'

/** Why a file's text is not in the profile. */
const REASONS = {
  not_found: 'not there',
  not_permitted: 'not for the user of the process to read',
  not_absolute: 'known by a relative path only',
  built_in: 'part of its runtime',
  not_text: 'not text',
  too_large: 'larger than 16 MiB',
  over_limit: 'beyond the limit of 200 files and 2 MB',
} as const
type Reason = keyof typeof REASONS

const FILES_MAX = 200
const FILE_BYTES_MAX = 16 * 1024 ** 2
const LIMITS: SourceLimits = { linesAround: 20, lineCharacters: 1000, characters: 2_000_000 }

export interface Sources {
  readonly texts: readonly SourceText[]
  readonly unread: CountByReason
  readonly note: string
}

/** A file with its sampled lines, and the samples they stand for. */
interface Wanted {
  readonly root: ProcessRoot | null
  readonly fileName: string
  readonly lines: Set<number>
  samples: number
}

/** Reads the text for a profile that was made of this window. Never throws for what it reads. */
export function readSources(window: Window, profile: Profile, roots: HeldRoots): Sources {
  const texts: SourceText[] = []
  const unread: Record<string, number> = {}
  const count = (reason: Reason) => {
    unread[reason] = (unread[reason] ?? 0) + 1
  }
  let read = 0
  let charactersLeft = LIMITS.characters
  for (const wanted of wantedFiles(window, profile, roots)) {
    const content = read === FILES_MAX || charactersLeft <= 0 ? 'over_limit' : readWanted(wanted)
    if (typeof content === 'string') {
      count(content)
      continue
    }
    const limits = { ...LIMITS, characters: charactersLeft }
    const chunks = sourceChunks(content.text, [...wanted.lines], limits)
    for (const chunk of chunks.list) texts.push({ fileName: wanted.fileName, ...chunk })
    charactersLeft -= chunks.characters
    if (chunks.isWhole) read++
    else count('over_limit')
  }
  return { texts, unread, note: noteOf(read, unread) }
}

/** By file and file system, most samples first. Location i is frame i of the window. */
function wantedFiles(window: Window, profile: Profile, roots: HeldRoots): Wanted[] {
  const below = samplesBelow(window)
  const weight = new Float64Array(profile.locations.length)
  window.stacks.location.forEach((frame, node) => {
    weight[frame] = weight[frame]! + below[node]!
  })
  const files = new Map<string, Wanted>()
  for (const [frame, { lines }] of profile.locations.entries()) {
    for (const { function: index, line } of lines) {
      const { fileName, startLine } = profile.functions[index]!
      // Of run-time code only the beginning of the function is known.
      const at = line > 0 ? line : startLine
      if (fileName === '' || !(at > 0)) continue
      const root = roots.rootOf(window.frames.executable[frame]!)
      const key = `${root?.path} ${root?.uid} ${fileName}`
      const wanted = files.get(key) ?? { root, fileName, lines: new Set<number>(), samples: 0 }
      files.set(key, wanted)
      wanted.lines.add(at)
      wanted.samples += weight[frame]!
    }
  }
  return [...files.values()].sort((a, b) => b.samples - a.samples)
}

function readWanted({ root, fileName }: Wanted): { readonly text: string } | Reason {
  if (fileName.startsWith('node:')) return 'built_in'
  if (!fileName.startsWith('/')) return 'not_absolute'
  if (root === null) return 'not_found'
  const found: { readonly path: string } | PathFault = pathInRoot(root.path, fileName, root.uid)
  return typeof found === 'string' ? found : readText(found.path)
}

function readText(path: string): { readonly text: string } | Reason {
  let fd = -1
  try {
    // Neither a fifo that nobody writes nor a terminal may hold us up; a link that was put there since is refused.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | constants.O_NOFOLLOW)
    const stats = fstatSync(fd)
    if (!stats.isFile()) return 'not_text'
    if (stats.size > FILE_BYTES_MAX) return 'too_large'
    const bytes = Buffer.alloc(stats.size)
    const length = readSync(fd, bytes, 0, bytes.length, 0)
    const content = bytes.subarray(0, length)
    return content.includes(0) ? 'not_text' : { text: content.toString('utf8') }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM' ? 'not_permitted' : 'not_found'
  } finally {
    if (fd >= 0) closeSync(fd)
  }
}

function noteOf(read: number, unread: CountByReason): string {
  const counts = Object.entries(unread)
  const all = counts.reduce((sum, [, count]) => sum + count, read)
  if (all === 0)
    return '--source: no sampled frame has a source file (build with -g, or install debug symbols)'
  const reasons = counts.map(([reason, count]) => `${count} ${REASONS[reason as Reason]}`)
  return `--source: the text of ${read} of ${all} source files is kept${reasons.length > 0 ? `; ${reasons.join(', ')}` : ''}`
}
