/**
 * Profile -> speedscope's own file format (https://www.speedscope.app/file-format-schema.json), written in pieces.
 *
 * With times: one sampled profile per thread, in the order of time, busiest thread first, so that speedscope's time
 * order view means something. Without times: one profile of everything. Frames are merged by name and file, because
 * speedscope takes each entry of `frames` for a function of its own. Kinds, labels and addresses are lost.
 */
import { functionName, sourceOrBinary, unnamedLocation } from '../model/frame-name.ts'
import type { Label, Profile } from '../model/profile.ts'

export interface SpeedscopeOptions {
  /** Title of the document; default: the target, or 'profile'. */
  readonly name?: string
  /** Value column; default: the profile's own. */
  readonly column?: number
}

interface Frame {
  readonly name: string
  readonly file?: string
  readonly line?: number
}

/** Units that speedscope knows; anything else is shown as a bare number. */
const UNITS: ReadonlySet<string> = new Set([
  'bytes',
  'microseconds',
  'milliseconds',
  'nanoseconds',
  'seconds',
])

/** The JSON text in pieces; joined they are one document. */
export function* writeSpeedscope(profile: Profile, options: SpeedscopeOptions = {}): Iterable<string> {
  const column = options.column ?? profile.defaultSampleType
  const { frames, byLocation } = sharedFrames(profile)
  const name = options.name ?? (profile.capture?.target.name || 'profile')
  yield `{"$schema":"https://www.speedscope.app/file-format-schema.json","exporter":"emberscope",`
  yield `"name":${JSON.stringify(name)},"activeProfileIndex":0,\n"shared":{"frames":[`
  for (const [index, frame] of frames.entries()) yield `${index > 0 ? ',\n' : ''}${JSON.stringify(frame)}`
  yield ']},\n"profiles":['
  for (const [index, group] of threadGroups(profile, column, name).entries()) {
    if (index > 0) yield ',\n'
    yield* sampledProfile(profile, column, group, byLocation)
  }
  yield ']}\n'
}

/** Distinct frames, and for each location its frames root first. */
function sharedFrames(profile: Profile): { frames: Frame[]; byLocation: number[][] } {
  const frames: Frame[] = []
  const indices = new Map<string, number>()
  const indexOf = (name: string, file: string, line: number): number => {
    const key = `${file}\n${name}`
    const known = indices.get(key)
    if (known !== undefined) return known
    indices.set(key, frames.length)
    return frames.push({ name, ...(file ? { file } : {}), ...(line > 0 ? { line } : {}) }) - 1
  }
  const byLocation = profile.locations.map((location) => {
    if (location.lines.length === 0) {
      return [indexOf(unnamedLocation(profile, location), sourceOrBinary(profile, location, null), 0)]
    }
    return location.lines.toReversed().map((line) => {
      const entry = profile.functions[line.function]!
      return indexOf(functionName(entry), sourceOrBinary(profile, location, entry), entry.startLine)
    })
  })
  return { frames, byLocation }
}

/** The rows of one sampled profile, in the order they are shown. */
interface RowGroup {
  readonly name: string
  readonly rows: number[]
  weight: number
}

function threadGroups(profile: Profile, column: number, name: string): RowGroup[] {
  const { stack, labelSet, timeNs, values } = profile.samples
  const groups = new Map<string, RowGroup>()
  const threads = profile.labelSets.map((labels) => threadOf(labels))
  for (let row = 0; row < stack.length; row++) {
    const thread = timeNs ? threads[labelSet[row]!]! : { key: '', name }
    let group = groups.get(thread.key)
    if (!group) {
      group = { name: thread.name, rows: [], weight: 0 }
      groups.set(thread.key, group)
    }
    group.rows.push(row)
    group.weight += values[column]?.[row] ?? 0
  }
  if (groups.size === 0) groups.set('', { name, rows: [], weight: 0 })
  if (timeNs) for (const { rows } of groups.values()) rows.sort((a, b) => timeNs[a]! - timeNs[b]!)
  return [...groups.values()].sort((a, b) => b.weight - a.weight)
}

function threadOf(labels: readonly Label[]): { key: string; name: string } {
  const text = (key: string) => {
    const label = labels.find((entry) => entry.key === key)
    return label?.str ?? label?.num?.toString() ?? ''
  }
  const ids = [text('pid'), text('tid')].filter((id) => id !== '')
  const name = text('thread') || text('comm') || 'thread'
  return ids.length > 0 ? { key: ids.join('/'), name: `${name} (${ids.join('/')})` } : { key: name, name }
}

function* sampledProfile(
  profile: Profile,
  column: number,
  group: RowGroup,
  byLocation: readonly number[][],
): Iterable<string> {
  const values = profile.samples.values[column] ?? new Float64Array(0)
  const unit = profile.sampleTypes[column]?.unit ?? ''
  yield `{"type":"sampled","name":${JSON.stringify(group.name)},"unit":"${UNITS.has(unit) ? unit : 'none'}",`
  yield `"startValue":0,"endValue":${group.weight},\n"samples":[`
  for (const [index, row] of group.rows.entries()) {
    yield `${index > 0 ? ',' : ''}[${stackFrames(profile, profile.samples.stack[row]!, byLocation)}]`
  }
  yield '],\n"weights":['
  for (const [index, row] of group.rows.entries()) yield `${index > 0 ? ',' : ''}${values[row]!}`
  yield ']}'
}

function stackFrames(profile: Profile, leaf: number, byLocation: readonly number[][]): string {
  const { parent, location } = profile.stacks
  const frames: string[] = []
  for (let node = leaf; node >= 0; node = parent[node]!) frames.push(byLocation[location[node]!]!.join(','))
  return frames.reverse().join(',')
}
