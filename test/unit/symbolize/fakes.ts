/** Windows and readers for the tests of symbolize/, without addon and without files. */
import type { Executable } from '../../../src/model/executable.ts'
import type { FrameKind } from '../../../src/model/profile.ts'
import type { Window } from '../../../src/model/window.ts'
import type { KernelFunctions, ResolvedElf, SymbolReaders } from '../../../src/native/symbols.ts'

export function executable(part: Partial<Executable>): Executable {
  const unknown: Executable = {
    kind: 'elf',
    path: '/bin/app',
    buildId: '',
    fd: 0,
    goneReason: '',
    root: '',
    pid: 0,
    perfMapFd: -1,
    comm: 'app',
  }
  return { ...unknown, ...part }
}

/** Frames as [executable, address, kind]; stacks as frame lists, root first, one sample each. */
export function windowOf(
  executables: readonly Executable[],
  frames: readonly (readonly [number, number, FrameKind])[],
  stacks: readonly (readonly number[])[],
): Window {
  const parent: number[] = []
  const location: number[] = []
  const stack = stacks.map((frameIds) => {
    let node = -1
    for (const frame of frameIds) {
      const known = parent.findIndex((up, i) => up === node && location[i] === frame)
      if (known >= 0) node = known
      else {
        parent.push(node)
        node = location.push(frame) - 1
      }
    }
    return node
  })
  return {
    executables,
    frames: {
      executable: Int32Array.from(frames, ([index]) => index),
      address: Float64Array.from(frames, ([, address]) => address),
      kind: frames.map(([, , kind]) => kind),
    },
    stacks: { parent: Int32Array.from(parent), location: Int32Array.from(location) },
    samples: {
      stack: Int32Array.from(stack),
      labelSet: new Int32Array(stack.length),
      timeNs: Float64Array.from(stack, (_, i) => i * 1000),
      periodNs: null,
    },
    labelSets: [[{ key: 'comm', str: 'app' }]],
    timeNs: 1_700_000_000_000_000_000n,
    durationNs: 10_000_000_000,
    periodNs: 10_101_010.1,
  }
}

/** An address -> name table as the readers give it; addresses without an entry have no symbol. */
export function symbolRows(names: ReadonlyMap<number, string>, addresses: Float64Array) {
  const distinct = [...new Set(names.values())]
  return {
    name: Int32Array.from(addresses, (address) => distinct.indexOf(names.get(address) ?? '')),
    names: distinct,
    symbolStart: Float64Array.from(addresses, (address) => (names.has(address) ? address : Number.NaN)),
  }
}

/** What a fake ELF file answers: names by file offset; ELF address = file offset + 0x400000. */
export interface FakeElf {
  readonly names?: ReadonlyMap<number, string>
  readonly part?: Partial<ResolvedElf>
}

export interface FakeSources {
  readonly elf?: ReadonlyMap<number, FakeElf>
  readonly kernel?: ReadonlyMap<number, readonly [name: string, module: string]>
  readonly kernelHidden?: boolean
  readonly perfMap?: ReadonlyMap<number, string>
  readonly malformedLines?: number
  /** Why the lists could not be read. */
  readonly kernelFailure?: string
  readonly perfMapFailure?: string
}

export function fakeReaders(sources: FakeSources): SymbolReaders {
  return {
    resolveElf: (fd, _debugFd, offsets) => {
      const fake = sources.elf?.get(fd) ?? {}
      return Promise.resolve({
        ...symbolRows(fake.names ?? new Map(), offsets),
        failure: '',
        detail: '',
        buildId: 'abcd',
        elfAddress: offsets.map((offset) => offset + 0x400000),
        segment: { address: 0x401000, fileOffset: 0x1000, size: 0x2000 },
        hasSymbols: fake.names !== undefined,
        sources: [],
        hasDwarf: false,
        ...fake.part,
      })
    },
    findDebugFiles: () => Promise.resolve({ debugFile: '', altFile: '' }),
    resolveKallsyms: (_path, addresses) => {
      const entries = [...(sources.kernel ?? new Map<number, readonly [string, string]>())]
      const names = new Map(entries.map(([address, [name]]) => [address, name]))
      const modules = [
        '',
        ...new Set(entries.map(([, [, module]]) => module).filter((module) => module !== '')),
      ]
      return Promise.resolve({
        ...symbolRows(names, addresses),
        module: Int32Array.from(addresses, (address) =>
          modules.indexOf(sources.kernel?.get(address)?.[1] ?? ''),
        ),
        modules,
        hidden: sources.kernelHidden ?? false,
        failure: sources.kernelFailure ?? '',
      })
    },
    listKernelFunctions: () => Promise.resolve(kernelFunctions(sources)),
    resolvePerfMap: (_fd, addresses) =>
      Promise.resolve({
        ...symbolRows(sources.perfMap ?? new Map(), addresses),
        malformedLines: sources.malformedLines ?? 0,
        failure: sources.perfMapFailure ?? '',
      }),
  }
}

/** The list as columns, by address ascending. */
export function kernelFunctions({ kernel, kernelHidden, kernelFailure }: FakeSources): KernelFunctions {
  const entries = [...(kernel ?? new Map<number, readonly [string, string]>())].sort(([a], [b]) => a - b)
  const modules = ['', ...new Set(entries.map(([, [, module]]) => module).filter((module) => module !== ''))]
  const nameAt = [0]
  for (const [, [name]] of entries) nameAt.push(nameAt.at(-1)! + Buffer.byteLength(name))
  return {
    start: Float64Array.from(entries, ([address]) => address),
    nameAt: Uint32Array.from(nameAt),
    names: Buffer.from(entries.map(([, [name]]) => name).join('')),
    module: Int32Array.from(entries, ([, [, module]]) => modules.indexOf(module)),
    modules,
    hidden: kernelHidden ?? false,
    failure: kernelFailure ?? '',
  }
}
