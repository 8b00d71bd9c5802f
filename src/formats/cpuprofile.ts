/**
 * V8's `.cpuprofile` -> Profile: what `node --cpu-prof`, the inspector and Chrome's DevTools save
 * (https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile), and the older form with a nested
 * `head`. A sample lasts until the next one.
 *
 * `(idle)` is left out: it is time in which no code ran, and this is a profile of CPU time; a comment says how much
 * it was. `(program)` (native code outside of JavaScript) and `(garbage collector)` are CPU time and stay.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { type CallNode, readCallNodes } from './cpuprofile-nodes.ts'
import { isJsonObject, JsonCursor } from './json-cursor.ts'
import { ProfileDraft } from './profile-draft.ts'

const FILE = 'cpuprofile'
const NS_PER_US = 1000

/** Whether parsed JSON is such a file, damaged or not. */
export function isCpuprofile(value: unknown): boolean {
  if (!isJsonObject(value)) return false
  const { nodes, head, startTime } = value
  if (isJsonObject(head)) return Array.isArray(head.children) && 'hitCount' in head
  if (!Array.isArray(nodes)) return false
  return startTime !== undefined || (isJsonObject(nodes[0]) && isJsonObject(nodes[0].callFrame))
}

/** Errors: AgentError input_invalid, `the cpuprofile is damaged: …`. */
export function readCpuprofile(value: unknown): Profile {
  const json = new JsonCursor(value, '', FILE)
  const draft = new ProfileDraft(FILE)
  const nodes = readCallNodes(json)
  const stacks = new Map<number, number>()
  // Callers come first in the list.
  for (const node of nodes.values()) stacks.set(node.id, stackOf(node, stacks, draft))
  const labelSet = draft.labelSet([])
  const add = (node: CallNode, timeNs: number): void =>
    draft.addSample(stacks.get(node.id)!, labelSet, timeNs)
  return json.get('samples').isAbsent ? countedHits(nodes, draft, add) : timedSamples(json, nodes, draft, add)
}

/** The root is no frame; nor is there one for idle time, which has no samples. */
function stackOf(node: CallNode, stacks: ReadonlyMap<number, number>, draft: ProfileDraft): number {
  const parent = node.parent === null ? -1 : stacks.get(node.parent)!
  if (node.parent === null && node.name === '(root)') return parent
  const name = node.name || '(anonymous)'
  // Two closures of one line are two functions.
  const index = draft.function(name, node.url, node.line, String(node.column))
  const lines = [{ function: index, line: node.line, column: node.column }]
  return draft.call(parent, draft.location({ lines, mapping: -1, kind: node.url === '' ? 'native' : 'jit' }))
}

type AddSample = (node: CallNode, timeNs: number) => void

/** Without samples only the number of hits is known, and not how long each took. */
function countedHits(nodes: ReadonlyMap<number, CallNode>, draft: ProfileDraft, add: AddSample): Profile {
  const counts: number[] = []
  let idle = 0
  for (const node of nodes.values()) {
    if (node.hitCount === 0) continue
    if (node.isIdle) idle += node.hitCount
    else {
      add(node, 0)
      counts.push(node.hitCount)
    }
  }
  return draft.finish({
    sampleTypes: [{ type: 'samples', unit: 'count' }],
    defaultSampleType: 0,
    values: [Float64Array.from(counts)],
    hasTimes: false,
    comments: idle > 0 ? [`idle, not shown: ${idle} samples`] : [],
  })
}

function timedSamples(
  json: JsonCursor,
  nodes: ReadonlyMap<number, CallNode>,
  draft: ProfileDraft,
  add: AddSample,
): Profile {
  const ids = json.get('samples').array((id) => id.integer())
  const { timesUs, endUs, startUs } = sampleTimes(json, ids.length)
  // V8 may hand over a sample late: its delta is negative then.
  const order = ids.map((_, index) => index).sort((a, b) => timesUs[a]! - timesUs[b]! || a - b)
  const values: number[] = []
  let idleUs = 0
  for (const [rank, index] of order.entries()) {
    const node = nodes.get(ids[index]!)
    if (node === undefined) damaged(`sample ${index} is of node ${ids[index]}, which is missing`)
    const at = timesUs[index]!
    const next = rank + 1 < order.length ? timesUs[order[rank + 1]!]! : Math.max(at, endUs)
    if (node.isIdle) idleUs += next - at
    else {
      add(node, Math.max(0, Math.round((at - startUs) * NS_PER_US)))
      values.push(Math.round((next - at) * NS_PER_US))
    }
  }
  return draft.finish({
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 1,
    values: [new Float64Array(values.length).fill(1), Float64Array.from(values)],
    hasTimes: true,
    durationNs: BigInt(Math.max(0, Math.round((endUs - startUs) * NS_PER_US))),
    comments:
      idleUs > 0
        ? [`idle, not shown: ${(idleUs / 1e6).toFixed(3)} s of ${((endUs - startUs) / 1e6).toFixed(3)} s`]
        : [],
  })
}

interface SampleTimes {
  readonly timesUs: readonly number[]
  readonly startUs: number
  readonly endUs: number
}

/** Deltas from the start on, or (before 2016) times themselves, or none: then samples are evenly spaced. */
function sampleTimes(json: JsonCursor, count: number): SampleTimes {
  const unit = json.get('head').isAbsent ? 1 : 1e6
  const startUs = json.get('startTime').optional((cursor) => cursor.finite(), 0) * unit
  const endUs = json.get('endTime').optional((cursor) => cursor.finite(), 0) * unit
  const list = (key: string): number[] | null => {
    const cursor = json.get(key)
    if (cursor.isAbsent || cursor.value === null) return null
    const numbers = cursor.array((entry) => entry.finite())
    if (numbers.length !== count) damaged(`it has ${count} samples and ${numbers.length} ${key}`)
    return numbers
  }
  const deltas = list('timeDeltas')
  if (deltas !== null) {
    let at = startUs
    const timesUs = deltas.map((delta) => {
      at += delta
      return at
    })
    return { timesUs, startUs, endUs: Math.max(endUs, timesUs.at(-1) ?? 0) }
  }
  const timestamps = list('timestamps')
  if (timestamps !== null) {
    const first = timestamps.reduce((least, at) => Math.min(least, at), timestamps[0] ?? 0)
    const last = timestamps.reduce((most, at) => Math.max(most, at), first)
    const spanUs = Math.max(endUs - startUs, last - first)
    return { timesUs: timestamps, startUs: first, endUs: first + spanUs }
  }
  const stepUs = count > 0 ? Math.max(0, endUs - startUs) / count : 0
  return { timesUs: Array.from({ length: count }, (_, i) => startUs + i * stepUs), startUs, endUs }
}

function damaged(reason: string): never {
  throw new AgentError('input_invalid', `the ${FILE} is damaged: ${reason}`)
}
