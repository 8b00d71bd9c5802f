/** Questions that tests ask a profile: who is on the stack, how often, and who called whom. */
import { functionName, unnamedLocation } from '../../src/model/frame-name.ts'
import type { FrameKind, Location, Profile } from '../../src/model/profile.ts'

export interface NamedFrame {
  readonly name: string
  /** File name of the mapping without its directory, '' without a mapping. */
  readonly module: string
  readonly kind: FrameKind
  /** False where the name is only file and offset. */
  readonly isNamed: boolean
  /** The compiler has put it into its caller: there is no frame of its own on the stack. */
  readonly isInlined?: boolean
}

/** One row of the profile, frames from the root to the leaf, inlined ones included. */
export interface NamedStack {
  readonly frames: readonly NamedFrame[]
  readonly samples: number
  readonly labels: Readonly<Record<string, string | number>>
}

function framesOf(profile: Profile, location: Location): NamedFrame[] {
  const path = profile.mappings[location.mapping]?.fileName ?? ''
  const rest = { module: path.slice(path.lastIndexOf('/') + 1), kind: location.kind }
  if (location.lines.length === 0)
    return [{ name: unnamedLocation(profile, location), isNamed: false, ...rest }]
  return location.lines
    .map((line, i) => ({
      name: functionName(profile.functions[line.function]!),
      isNamed: true,
      isInlined: i + 1 < location.lines.length,
      ...rest,
    }))
    .reverse()
}

/** All rows of a profile by name. */
export function namedStacks(profile: Profile): NamedStack[] {
  const ofLocation = profile.locations.map((location) => framesOf(profile, location))
  const { parent, location } = profile.stacks
  return Array.from(profile.samples.stack, (leaf, row) => {
    const frames: NamedFrame[][] = []
    for (let node = leaf; node >= 0; node = parent[node]!) frames.push(ofLocation[location[node]!]!)
    const labels = profile.labelSets[profile.samples.labelSet[row]!] ?? []
    return {
      frames: frames.reverse().flat(),
      samples: profile.samples.values[0]![row]!,
      labels: Object.fromEntries(labels.map(({ key, str, num }) => [key, str ?? Number(num)])),
    }
  })
}

/** Samples of the stacks that the predicate accepts. */
export function countStacks(
  stacks: readonly NamedStack[],
  accepts: (stack: NamedStack) => boolean = () => true,
): number {
  return stacks.reduce((sum, stack) => sum + (accepts(stack) ? stack.samples : 0), 0)
}

/** Samples with a function of this name anywhere on the stack. */
export function countWith(stacks: readonly NamedStack[], name: string): number {
  return countStacks(stacks, ({ frames }) => frames.some((frame) => frame.name === name))
}

/**
 * Shares of all samples by caller and callee ("main > turn"), each counted once per stack. Kernel frames are left out,
 * and so is what the C library calls its own functions (perf and we may read different symbol files of it).
 */
export function edgeShares(stacks: readonly NamedStack[]): Map<string, number> {
  const all = countStacks(stacks)
  const shares = new Map<string, number>()
  for (const { frames, samples } of stacks) {
    const names = frames
      .filter(({ kind }) => kind !== 'kernel')
      .map(({ name, module }) =>
        /^(libc|ld-linux|\[vdso\])/.test(module) ? module.replace(/[-.].*/, '') : name,
      )
    const edges = new Set(names.slice(1).map((name, i) => `${names[i]} > ${name}`))
    for (const edge of edges) shares.set(edge, (shares.get(edge) ?? 0) + samples / all)
  }
  return shares
}

/** The edges with more than this share, sorted. */
export function edgesAbove(shares: ReadonlyMap<string, number>, share: number): string[] {
  return [...shares.keys()].filter((edge) => shares.get(edge)! > share).sort()
}
