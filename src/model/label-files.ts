/** Several files as one profile: the samples of each carry the label `file`, so that a view can filter and compare. */
import { AgentError } from '../errors.ts'
import { ProfileMerger } from './merge-profiles.ts'
import type { Profile } from './profile.ts'

/** Key of the label that says which file a sample is of. */
export const FILE_LABEL = 'file'

/** A profile and where it was read from. */
export interface NamedProfile {
  readonly path: string
  readonly profile: Profile
}

/**
 * One profile of all. Names are the ends of the paths, as long as it takes to tell them apart. Where the files are of
 * times far apart, or of unknown ones, each begins at the same moment, and a comment says so.
 *
 * Errors: AgentError `input_invalid` for different sample types (naming two files), and as `ProfileMerger`.
 */
export function labelFiles(files: readonly NamedProfile[]): Profile {
  const [first, ...others] = files
  if (first === undefined) throw new AgentError('input_invalid', 'there is no file to read')
  if (others.length === 0) return first.profile
  const other = others.find(({ profile }) => typesOf(profile) !== typesOf(first.profile))
  if (other !== undefined) {
    const [one, two] = [first, other].map(({ path, profile }) => `${path} has ${typesOf(profile)}`)
    throw new AgentError(
      'input_invalid',
      `cannot show these files together: ${one}, ${two}; open them one at a time`,
    )
  }
  const isAligned = !areTogether(files.map(({ profile }) => profile))
  const names = distinctNames(files.map(({ path }) => path))
  const merger = new ProfileMerger()
  for (const [i, { profile }] of files.entries()) {
    const timeNs = isAligned ? first.profile.timeNs : profile.timeNs
    merger.add(withFile({ ...profile, timeNs }, names[i]!))
  }
  const merged = merger.finish()!
  if (!isAligned || merged.samples.timeNs === null) return merged
  const note = 'the files are of different times: each is shown from the same start'
  return { ...merged, comments: [...merged.comments, note] }
}

function typesOf({ sampleTypes }: Profile): string {
  return sampleTypes.map(({ type, unit }) => `${type}/${unit}`).join(', ')
}

function withFile(profile: Profile, file: string): Profile {
  const labelSets = profile.labelSets.map((labels) => [
    ...labels.filter(({ key }) => key !== FILE_LABEL),
    { key: FILE_LABEL, str: file },
  ])
  return { ...profile, labelSets }
}

/** Whether the gaps between the profiles are shorter than what they hold. */
function areTogether(profiles: readonly Profile[]): boolean {
  if (profiles.some(({ timeNs }) => timeNs === 0n)) return false
  let [from, to, held] = [profiles[0]!.timeNs, 0n, 0n]
  for (const { timeNs, durationNs } of profiles) {
    if (timeNs < from) from = timeNs
    if (timeNs + durationNs > to) to = timeNs + durationNs
    held += durationNs
  }
  return to - from <= 2n * held
}

/** `b.pb.gz` where it is the only one, else `x/b.pb.gz` and `y/b.pb.gz`; equal paths are counted. */
function distinctNames(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split('/').filter((part) => part !== '' && part !== '.'))
  const deepest = Math.max(...parts.map(({ length }) => length))
  const names = parts.map((of) => of.at(-1) ?? '')
  for (let depth = 2; depth <= deepest; depth++) {
    const counts = countOf(names)
    for (const [i, name] of names.entries()) {
      if (counts.get(name)! > 1) names[i] = parts[i]!.slice(-depth).join('/')
    }
  }
  const seen = new Map<string, number>()
  const counts = countOf(names)
  return names.map((name) => {
    if (counts.get(name) === 1) return name
    const n = (seen.get(name) ?? 0) + 1
    seen.set(name, n)
    return `${name} (${n})`
  })
}

function countOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
