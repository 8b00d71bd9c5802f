import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { Executable } from '../../src/model/executable.ts'
import type { Profile } from '../../src/model/profile.ts'
import type { Window } from '../../src/model/window.ts'
import { loadAddon, packageRoot } from '../../src/native/addon.ts'
import { type Symbolized, symbolize } from '../../src/symbolize/symbolizer.ts'
import { buildInlines, cannotRun, instructionAddresses, llvmLines } from './symbolizer-cases.ts'

const addonPath = join(packageRoot(), 'build', 'Release', 'addon.node')
const skip = cannotRun || (existsSync(addonPath) ? false : `${addonPath} is not built`)

/** One sample a frame, each frame its own root; the fixtures' text lies at the same offset in file and memory. */
function windowOfFile(file: string, fd: number, offsets: readonly number[]): Window {
  const elf: Executable = {
    kind: 'elf',
    path: file,
    buildId: '',
    fd,
    goneReason: '',
    root: '',
    pid: 0,
    perfMapFd: -1,
    comm: 'app',
  }
  const index = Int32Array.from(offsets, (_, i) => i)
  return {
    executables: [elf],
    frames: {
      executable: new Int32Array(offsets.length),
      address: Float64Array.from(offsets),
      kind: offsets.map(() => 'native' as const),
    },
    stacks: { parent: new Int32Array(offsets.length).fill(-1), location: index },
    samples: {
      stack: index,
      labelSet: new Int32Array(offsets.length),
      timeNs: new Float64Array(offsets.length),
      periodNs: null,
    },
    labelSets: [[]],
    timeNs: 0n,
    durationNs: 1e9,
    periodNs: 1e7,
  }
}

async function symbolizeFile(file: string, offsets: readonly number[]): Promise<Symbolized> {
  const fd = openSync(file, 'r')
  try {
    return await symbolize(windowOfFile(file, fd, offsets), loadAddon())
  } finally {
    closeSync(fd)
  }
}

/** Names of a location, innermost first. */
function namesAt(profile: Profile, location: number): string[] {
  return profile.locations[location]!.lines.map((line) => profile.functions[line.function]!.name)
}

/** The complete and the base destructor are often one piece of code with two symbols; either name is right. */
function oneAlias(name: string): string {
  return name.replace(/([CD])2E/, '$11E')
}

describe('a whole executable', { skip }, () => {
  let out = ''
  let offsets: number[] = []
  before(() => {
    out = buildInlines()
    offsets = instructionAddresses(join(out, 'dwarf5'))
  })

  test('has every frame named, with lines, inlines and readable names', async () => {
    const file = join(out, 'dwarf5')
    const { profile, frames, notes } = await symbolizeFile(file, offsets)
    assert.deepEqual(notes, [])
    // What lies between functions (padding) belongs to no symbol.
    const uncovered = frames.unnamed.not_covered ?? 0
    assert.deepEqual(frames, { named: offsets.length - uncovered, unnamed: { not_covered: uncovered } })
    assert.ok(uncovered < offsets.length / 50)
    const [mapping] = profile.mappings
    assert.ok(
      mapping?.hasFunctions && mapping.hasFilenames && mapping.hasLineNumbers && mapping.hasInlineFrames,
    )
    assert.match(mapping.buildId, /^[0-9a-f]{40}$/)
    const names = profile.functions.map(({ name }) => name)
    // An inlined function has no linkage name in some compilers' output; then its arguments are not known.
    for (const name of [/^main$/, /^shop::Cart::Add\(int\)$/, /^shop::Twice\b/, /\bshop::Mix<int>/]) {
      assert.ok(
        names.some((one) => name.test(one)),
        `${name} among ${names.join()}`,
      )
    }
    const theirs = llvmLines(file, offsets)
    profile.locations.forEach((location, i) => {
      const expected = theirs[i]!
      // Padding has a line, but no function: the other tool takes the symbol before it.
      if (location.unnamedReason === 'not_covered') return
      if (expected.every(({ line }) => line === 0)) return
      assert.deepEqual(
        location.lines.map(({ line, column }) => [line, column]),
        expected.map(({ line, column }) => [line, column]),
      )
      const physical = profile.functions[location.lines.at(-1)!.function]!
      assert.equal(oneAlias(physical.systemName), oneAlias(expected.at(-1)!.name))
    })
  })

  test('reads the same from a stripped file whose debug file lies beside it', async () => {
    execFileSync('objcopy', ['--add-gnu-debuglink=stripped.debug', 'stripped', 'linked'], { cwd: out })
    const plain = await symbolizeFile(join(out, 'dwarf5'), offsets)
    const linked = await symbolizeFile(join(out, 'linked'), offsets)
    assert.deepEqual(linked.notes, [])
    assert.deepEqual(linked.profile.functions, plain.profile.functions)
    assert.deepEqual(linked.profile.locations, plain.profile.locations)
  })

  test('says what is missing where a file is stripped', async () => {
    const { frames, profile } = await symbolizeFile(join(out, 'stripped'), offsets)
    assert.equal(
      frames.named + (frames.unnamed.not_covered ?? 0) + (frames.unnamed.no_symbols ?? 0),
      offsets.length,
    )
    assert.ok(frames.named < offsets.length / 2)
    assert.equal(profile.mappings[0]!.hasLineNumbers, false)
  })

  test('reads names that dwz moved away, through the link in the file', async (t) => {
    if (!existsSync(join(out, 'dwz-alternate'))) return t.skip('dwz is not installed')
    const plain = await symbolizeFile(join(out, 'dwarf5'), offsets)
    const moved = await symbolizeFile(join(out, 'dwz-one'), offsets)
    assert.deepEqual(moved.notes, [])
    assert.deepEqual(
      moved.profile.locations.map((_, i) => namesAt(moved.profile, i)),
      plain.profile.locations.map((_, i) => namesAt(plain.profile, i)),
    )
  })
})
