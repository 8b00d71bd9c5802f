/**
 * JSON text of any of the formats that are JSON -> Profile. Which one it is, its keys tell; for those that we do not
 * read but people have at hand, what to do instead.
 */
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { isCpuprofile, readCpuprofile } from './cpuprofile.ts'
import { isJsonObject, parseJson } from './json-cursor.ts'
import { readProfileJson } from './profile-json.ts'
import { isSpeedscope, readSpeedscope } from './speedscope-reader.ts'

/** Errors: AgentError input_invalid: damaged JSON, another format, or ours damaged (with the path of the value). */
export function readJson(text: string): Profile {
  const value = parseJson(text)
  if (isSpeedscope(value)) return readSpeedscope(value)
  if (isCpuprofile(value)) return readCpuprofile(value)
  const other = otherFormat(value)
  if (other !== null) throw new AgentError('input_invalid', other)
  return readProfileJson(value)
}

const TRACE =
  "it is a trace of Chrome's Performance panel, which we do not read; save a .cpuprofile instead (node --cpu-prof, or the JavaScript Profiler panel)"

/** What another program's JSON is, and what to do with it. */
function otherFormat(value: unknown): string | null {
  if (Array.isArray(value)) return isJsonObject(value[0]) && 'ph' in value[0] ? TRACE : null
  if (!isJsonObject(value)) return null
  if (Array.isArray(value.traceEvents)) return TRACE
  if (isJsonObject(value.head) && 'selfSize' in value.head) {
    return "it is a sampling heap profile of V8, which we do not read; Chrome's Memory panel opens it"
  }
  if (isJsonObject(value.snapshot) && Array.isArray(value.nodes)) {
    return "it is a heap snapshot of V8, not a profile; Chrome's Memory panel opens it"
  }
  if (isJsonObject(value.meta) && Array.isArray(value.threads)) {
    return 'it is a profile of the Firefox Profiler (or samply), which we do not read; https://profiler.firefox.com opens it'
  }
  return null
}
