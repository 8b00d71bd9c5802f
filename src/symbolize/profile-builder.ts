/** Window + named frames + readable names -> Profile. Pure: all reading is done. */
import type { UnnamedReason } from '../model/executable.ts'
import type { Line, Location, Mapping, Profile, ProfileFunction } from '../model/profile.ts'
import type { Window } from '../model/window.ts'
import type { SourceFrame } from './answer.ts'
import type { Module, NamedFrame, NamedFrames } from './named-frames.ts'

/** Distinct functions, by readable name, system name and file. */
class FunctionTable {
  readonly functions: ProfileFunction[] = []
  private readonly index = new Map<string, number>()

  constructor(private readonly readable: ReadonlyMap<string, string>) {}

  indexOf({ name: systemName, file: fileName, startLine }: SourceFrame): number {
    const key = `${systemName}\0${fileName}`
    const known = this.index.get(key)
    if (known !== undefined) {
      // Some units know the declaration's line, some do not.
      if (this.functions[known]!.startLine === 0 && startLine > 0) {
        this.functions[known] = { ...this.functions[known]!, startLine }
      }
      return known
    }
    const name = this.readable.get(systemName) ?? systemName
    this.index.set(key, this.functions.length)
    return this.functions.push({ name, systemName, fileName, startLine }) - 1
  }
}

/**
 * What the locations of one mapping have. One location is enough for a has_* flag: pprof's tools read the flags as
 * "somebody looked this file up already", and look it up again themselves, slowly, where none is set.
 */
class MappingFlags {
  private hasFunctions = false
  private hasFilenames = false
  private hasLineNumbers = false
  private hasInlineFrames = false

  add(chain: readonly SourceFrame[]): void {
    this.hasFunctions ||= chain.length > 0
    this.hasFilenames ||= chain.some(({ file }) => file !== '')
    this.hasLineNumbers ||= chain.some(({ line }) => line > 0)
    this.hasInlineFrames ||= chain.length > 1
  }

  build(module: Module): Mapping {
    const { hasFunctions, hasFilenames, hasLineNumbers, hasInlineFrames } = this
    return { ...module, hasFunctions, hasFilenames, hasLineNumbers, hasInlineFrames }
  }
}

/** A frame no executable answered for: it keeps its place and its address. */
function absentFrame(window: Window, frame: number): NamedFrame {
  const address = BigInt.asUintN(64, BigInt(window.frames.address[frame]!))
  const reason: UnnamedReason = 'unmapped'
  return { frame, address, module: -1, chain: [], reason }
}

/**
 * Builds the profile; its location i is frame i of the window, its stacks are the window's.
 * `groups`: one entry an executable; `readable`: raw name -> readable name, where they differ.
 */
export function buildProfile(
  window: Window,
  groups: readonly NamedFrames[],
  readable: ReadonlyMap<string, string>,
): Profile {
  const table = new FunctionTable(readable)
  const locations: Location[] = new Array(window.frames.address.length)
  const mappings: Mapping[] = []
  const place = (named: NamedFrame, mapping: number) => {
    locations[named.frame] = {
      mapping,
      address: named.address,
      lines: named.chain.map(
        (at): Line => ({ function: table.indexOf(at), line: at.line, column: at.column }),
      ),
      isFolded: false,
      kind: window.frames.kind[named.frame]!,
      unnamedReason: named.reason,
    }
  }
  for (const { modules, frames } of groups) {
    const flags = modules.map(() => new MappingFlags())
    for (const named of frames) {
      place(named, named.module < 0 ? -1 : mappings.length + named.module)
      flags[named.module]?.add(named.chain)
    }
    for (let i = 0; i < modules.length; i++) mappings.push(flags[i]!.build(modules[i]!))
  }
  for (let frame = 0; frame < locations.length; frame++) {
    if (!locations[frame]) place(absentFrame(window, frame), -1)
  }
  return { ...sampledPart(window), mappings, locations, functions: table.functions }
}

function sampledPart(window: Window): Omit<Profile, 'mappings' | 'locations' | 'functions'> {
  const { stack, periodNs } = window.samples
  const cpuNs = periodNs?.map(Math.round) ?? new Float64Array(stack.length).fill(Math.round(window.periodNs))
  return {
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 1,
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: BigInt(Math.round(window.periodNs)),
    timeNs: window.timeNs,
    durationNs: BigInt(Math.round(window.durationNs)),
    stacks: window.stacks,
    samples: {
      stack: window.samples.stack,
      labelSet: window.samples.labelSet,
      timeNs: window.samples.timeNs,
      values: [new Float64Array(stack.length).fill(1), cpuNs],
    },
    labelSets: window.labelSets,
    comments: [],
    dropFrames: '',
    keepFrames: '',
    docUrl: '',
    capture: null,
  }
}
