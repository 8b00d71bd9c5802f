/**
 * What each function weighed in one window, and for which processes: the rows of `profile top` before they are added up
 * over time. Counts are samples. A recursion counts once a sample.
 */
import { functionName, sourceOrBinary, unnamedLocation } from '../../model/frame-name.ts'
import type { CaptureReport, Location, Profile } from '../../model/profile.ts'

/** One function of one window. */
export interface FunctionWeight {
  readonly name: string
  /** Source file, else the binary, else ''. */
  readonly file: string
  self: number
  total: number
  /** Samples with the function on the stack, by process name. */
  readonly byProcess: Map<string, number>
}

export interface WindowFunctions {
  /** Unix milliseconds of its end. */
  readonly endMs: number
  readonly seconds: number
  readonly samples: number
  readonly capture: CaptureReport | null
  /** By `functionKey`. */
  readonly functions: ReadonlyMap<string, FunctionWeight>
}

/** What tells a function from others of its name. */
export function functionKey(name: string, file: string): string {
  return `${name}\0${file}`
}

/** A frame of a stack, as a reader names it. */
export interface FunctionFrame {
  readonly key: string
  readonly name: string
  readonly file: string
}

/** The frames of each location, innermost first. */
export function framesOf(profile: Profile): FunctionFrame[][] {
  return profile.locations.map((location) => locationFrames(profile, location))
}

function locationFrames(profile: Profile, location: Location): FunctionFrame[] {
  const frame = (name: string, file: string): FunctionFrame => ({ key: functionKey(name, file), name, file })
  if (location.lines.length === 0)
    return [frame(unnamedLocation(profile, location), sourceOrBinary(profile, location, null))]
  return location.lines.map((line) => {
    const entry = profile.functions[line.function]!
    return frame(functionName(entry), sourceOrBinary(profile, location, entry))
  })
}

/** Adds a window up. Cost: linear in samples times depth. */
export function windowFunctions(profile: Profile): WindowFunctions {
  const { samples, stacks } = profile
  const frames = framesOf(profile)
  const comms = profile.labelSets.map((labels) => labels.find(({ key }) => key === 'comm')?.str ?? '')
  const functions = new Map<string, FunctionWeight>()
  const seen = new Set<string>()
  for (let row = 0; row < samples.stack.length; row++) {
    const comm = comms[samples.labelSet[row]!] ?? ''
    seen.clear()
    for (let node = samples.stack[row]!; node >= 0; node = stacks.parent[node]!) {
      for (const frame of frames[stacks.location[node]!]!) {
        const weight = functions.get(frame.key) ?? newWeight(functions, frame)
        if (seen.size === 0) weight.self++
        if (seen.has(frame.key)) continue
        seen.add(frame.key)
        weight.total++
        weight.byProcess.set(comm, (weight.byProcess.get(comm) ?? 0) + 1)
      }
    }
  }
  return {
    endMs: Number((profile.timeNs + profile.durationNs) / 1_000_000n),
    seconds: Number(profile.durationNs) / 1e9,
    samples: samples.stack.length,
    capture: profile.capture,
    functions,
  }
}

function newWeight(
  functions: Map<string, FunctionWeight>,
  { key, name, file }: FunctionFrame,
): FunctionWeight {
  const weight = { name, file, self: 0, total: 0, byProcess: new Map<string, number>() }
  functions.set(key, weight)
  return weight
}
