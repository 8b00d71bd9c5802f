/**
 * A window of the flight recorder as bytes: a packed profile, and whom its samples are of, which a page does not need
 * and a packed profile does not hold. Knows no compression.
 *
 * Layout: length and text of the origins as JSON ('' when there are none), then the packed profile. Runs in the
 * browser too: the live page merges windows itself.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import type { Origins, SampledProcess } from '../model/sampled-process.ts'
import { atOnce, type Steps } from '../model/steps.ts'
import { decodePacked, encodePackedSteps } from './packed.ts'

/** The bytes of a window. */
export function encodeWindow(profile: Profile): Uint8Array {
  return atOnce(encodeWindowSteps(profile))
}

/** The same in steps. */
export function* encodeWindowSteps(profile: Profile): Steps<Uint8Array> {
  const packed = yield* encodePackedSteps(profile)
  yield
  const text = new TextEncoder().encode(profile.origins === undefined ? '' : originsText(profile.origins))
  const bytes = new Uint8Array(4 + text.length + packed.length)
  new DataView(bytes.buffer).setUint32(0, text.length, true)
  bytes.set(text, 4)
  bytes.set(packed, 4 + text.length)
  return bytes
}

/** What `encodeWindow` was given. Errors: AgentError `input_invalid` when the bytes are damaged. */
export function decodeWindow(bytes: Uint8Array): Profile {
  const length = bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (length < 0 || length > bytes.length - 4) throw damaged('it is cut off')
  const profile = decodePacked(bytes.subarray(4 + length))
  if (length === 0) return profile
  return { ...profile, origins: readOrigins(bytes.subarray(4, 4 + length), profile.labelSets.length) }
}

function originsText({ processes, ofLabelSet }: Origins): string {
  const rows = processes.map((p) => [p.pid, p.parentPid, p.comm, String(p.cgroupId), p.startNs])
  return JSON.stringify({ processes: rows, ofLabelSet: [...ofLabelSet] })
}

function readOrigins(text: Uint8Array, labelSets: number): Origins {
  let parsed: { processes?: unknown; ofLabelSet?: unknown }
  try {
    parsed = JSON.parse(new TextDecoder().decode(text)) as typeof parsed
  } catch (cause) {
    throw damaged(`its origins are no JSON (${(cause as Error).message})`)
  }
  const { processes: rows, ofLabelSet } = parsed ?? {}
  if (!Array.isArray(rows) || !Array.isArray(ofLabelSet) || ofLabelSet.length !== labelSets)
    throw damaged('its origins have another shape')
  const isProcess = (at: unknown): boolean =>
    Number.isInteger(at) && (at as number) >= -1 && (at as number) < rows.length
  if (!ofLabelSet.every(isProcess)) throw damaged('a label set is of a process that is not there')
  return { processes: rows.map(readProcess), ofLabelSet: Int32Array.from(ofLabelSet as number[]) }
}

function readProcess(row: unknown): SampledProcess {
  const [pid, parentPid, comm, cgroupId, startNs] = Array.isArray(row) ? (row as unknown[]) : []
  const isUsable =
    typeof comm === 'string' &&
    typeof cgroupId === 'string' &&
    /^\d{1,20}$/.test(cgroupId) &&
    [pid, parentPid, startNs].every(Number.isFinite)
  if (!isUsable) throw damaged('a process of its origins has another shape')
  return {
    pid: pid as number,
    parentPid: parentPid as number,
    comm,
    cgroupId: BigInt(cgroupId),
    startNs: startNs as number,
  }
}

function damaged(what: string): AgentError {
  return new AgentError('input_invalid', `a recorded window is damaged: ${what}; ask the agent again`)
}
