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

/** What the locations of one mapping have: pprof's has_* say whether all of them were looked up with success. */
class MappingFlags {
  private locations = 0
  private named = 0
  private withFile = 0
  private withLine = 0
  private inlined = 0

  add(chain: readonly SourceFrame[]): void {
    this.locations++
    if (chain.length > 0) this.named++
    if (chain.at(-1)?.file) this.withFile++
    if (chain.at(-1)?.line) this.withLine++
    if (chain.length > 1) this.inlined++
  }

  /**
   * Functions only when every location has one: `pprof` symbolizes mappings without the flag itself, and skips the
   * rest. Of the others one is enough: compiler-made code has line 0 in the best of files.
   */
  build(module: Module): Mapping {
    return {
      start: module.start,
      limit: module.limit,
      fileOffset: module.fileOffset,
      fileName: module.fileName,
      buildId: module.buildId,
      hasFunctions: this.locations > 0 && this.named === this.locations,
      hasFilenames: this.withFile > 0,
      hasLineNumbers: this.withLine > 0,
      hasInlineFrames: this.inlined > 0,
    }
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
  const count = window.samples.stack.length
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
      values: [new Float64Array(count).fill(1), new Float64Array(count).fill(Math.round(window.periodNs))],
    },
    labelSets: window.labelSets,
    comments: [],
    dropFrames: '',
    keepFrames: '',
    docUrl: '',
    capture: null,
  }
}
