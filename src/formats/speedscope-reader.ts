/**
 * speedscope's own file format -> Profile (https://www.speedscope.app/file-format-schema.json), of any exporter.
 *
 * A file holds several profiles, as a rule one a thread: they become one, with the label `thread` where there are
 * several. Times of any unit become nanoseconds. Profiles in another kind of unit than the active one (bytes beside
 * seconds) cannot be added to it: a comment says what is not shown.
 */
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'
import type { Profile, ValueType } from '../model/profile.ts'
import { isJsonObject, JsonCursor } from './json-cursor.ts'
import { ProfileDraft } from './profile-draft.ts'
import { SpeedscopeRows } from './speedscope-rows.ts'

const FILE = 'speedscope file'

/** Nanoseconds in speedscope's units of time. */
const TIME_UNITS: Readonly<Record<string, number>> = {
  nanoseconds: 1,
  microseconds: 1e3,
  milliseconds: 1e6,
  seconds: 1e9,
}

/** Whether parsed JSON is such a file, damaged or not. */
export function isSpeedscope(value: unknown): boolean {
  if (!isJsonObject(value)) return false
  const { $schema, shared, profiles } = value
  if (typeof $schema === 'string' && $schema.includes('speedscope')) return true
  return isJsonObject(shared) && Array.isArray(shared.frames) && Array.isArray(profiles)
}

/** Errors: AgentError input_invalid, `the speedscope file is damaged: "path" must be …`. */
export function readSpeedscope(value: unknown): Profile {
  const json = new JsonCursor(value, '', FILE)
  const draft = new ProfileDraft(FILE)
  const frames = readFrames(json.get('shared').get('frames'), draft)
  const profiles = json.get('profiles').array((profile) => profile)
  if (profiles.length === 0) damaged('it holds no profile')
  const active = profiles[json.get('activeProfileIndex').value as number] ?? profiles[0]!
  const shown = profiles.filter((profile) => measureOf(profile) === measureOf(active))
  const rows = new SpeedscopeRows(draft, frames)
  // What we write has one row a distinct stack where it knows no times; what others write is in the order of time.
  const isOrdered = json.get('exporter').value !== 'emberscope'
  for (const profile of shown) readOne(profile, rows, { isLabelled: shown.length > 1, isOrdered })
  return rows.finish(SAMPLE_TYPES[measureOf(active)], notShown(profiles, measureOf(active)))
}

type Measure = 'time' | 'bytes' | 'none'

function measureOf(profile: JsonCursor): Measure {
  const unit = profile.get('unit').optional((cursor) => cursor.text(), 'none')
  if (Object.hasOwn(TIME_UNITS, unit)) return 'time'
  return unit === 'bytes' ? 'bytes' : 'none'
}

const SAMPLE_TYPES: Readonly<Record<Measure, ValueType>> = {
  time: { type: 'time', unit: 'nanoseconds' },
  bytes: { type: 'space', unit: 'bytes' },
  none: { type: 'weight', unit: 'count' },
}

function notShown(profiles: readonly JsonCursor[], active: Measure): string[] {
  const units = profiles.filter((profile) => measureOf(profile) !== active).map((p) => p.get('unit').value)
  return [...new Set(units)].map((unit) => {
    const count = units.filter((other) => other === unit).length
    return `not shown: ${count} profiles in ${unit} in this file`
  })
}

/** Locations of the shared frames. A line tells where in a function, so it makes a location and no function. */
function readFrames(json: JsonCursor, draft: ProfileDraft): number[] {
  return json.array((frame) => {
    const position = (key: string): number => frame.get(key).optional((cursor) => cursor.finite(), 0)
    const name = frame.get('name').text()
    const file = frame.get('file').optional((cursor) => cursor.text(), '')
    const [line, column] = [Math.max(0, position('line') | 0), Math.max(0, position('col') | 0)]
    const lines = [{ function: draft.function(name, file), line, column }]
    return draft.location({ lines, mapping: -1, kind: 'native' })
  })
}

interface ReadHow {
  readonly isLabelled: boolean
  readonly isOrdered: boolean
}

function readOne(profile: JsonCursor, rows: SpeedscopeRows, { isLabelled, isOrdered }: ReadHow): void {
  const name = profile.get('name').optional((cursor) => cursor.text(), '')
  const unit = profile.get('unit').value
  rows.begin(isLabelled ? name : '', typeof unit === 'string' ? (TIME_UNITS[unit] ?? null) : null)
  const start = profile.get('startValue').optional((cursor) => cursor.finite(), 0)
  const type = profile.get('type').choice(['sampled', 'evented'])
  if (type === 'evented') readEvents(profile, rows, start)
  else readSamples(profile, rows, isOrdered ? start : null)
}

/** `start` null: the order of the samples says nothing. */
function readSamples(profile: JsonCursor, rows: SpeedscopeRows, start: number | null): void {
  const samples = profile.get('samples').array((sample) => sample)
  const weights = profile.get('weights').array((weight) => weight.finite())
  if (weights.length !== samples.length) {
    damaged(`a profile has ${samples.length} samples and ${weights.length} weights`)
  }
  let at = start ?? 0
  for (const [index, sample] of samples.entries()) {
    const frames = sample.array((frame) => frame.index(rows.frameCount))
    rows.add(rows.stackOf(frames), weights[index]!, start === null ? null : at)
    at += weights[index]!
  }
}

/** Between two events the open frames are the stack. What is open at the end stays open until `endValue`. */
function readEvents(profile: JsonCursor, rows: SpeedscopeRows, start: number): void {
  const open: { readonly frame: number; readonly stack: number }[] = []
  let at = start
  const passTo = (next: number, where: string): void => {
    if (next < at) damaged(`${where} is at ${next}, the one before at ${at}`)
    if (next > at && open.length > 0) rows.add(open.at(-1)!.stack, next - at, at)
    at = next
  }
  const events = profile.get('events').array((event) => event)
  for (const [index, event] of events.entries()) {
    const isOpening = event.get('type').choice(['O', 'C']) === 'O'
    const frame = event.get('frame').index(rows.frameCount)
    const now = event.get('at').finite()
    // The first event may lie before the start that the profile names.
    if (index === 0 && now < at) at = now
    passTo(now, `event ${index}`)
    if (isOpening) {
      if (open.length >= LIMITS.stackFrames) damaged(`event ${index} opens frame ${open.length} of a stack`)
      open.push({ frame, stack: rows.callFrame(open.at(-1)?.stack ?? -1, frame) })
    } else {
      const top = open.pop()
      if (top?.frame !== frame) {
        damaged(`event ${index} closes frame ${frame}, open is ${top === undefined ? 'none' : top.frame}`)
      }
    }
  }
  if (open.length > 0)
    passTo(
      Math.max(
        at,
        profile.get('endValue').optional((c) => c.finite(), at),
      ),
      'the end',
    )
}

function damaged(reason: string): never {
  throw new AgentError('input_invalid', `the ${FILE} is damaged: ${reason}`)
}
