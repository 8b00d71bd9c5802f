/**
 * What native unwinding costs, each figure beside its goal: BPF time of a captured sample (fixed and per frame), of stacks
 * that change file and page at every frame, of a usual program; memory of tables and maps; how soon `--all` is ready.
 * Time of BPF at 97 Hz is mostly time of cold caches, so what an empty system call takes on this machine in the same place
 * is printed too, and the line at 997 Hz, where more stays warm. Usage: npm run bench:unwind [seconds each]. Needs root and an idle machine; EMBERSCOPE_UNWINDER=tail-calls measures
 * that variant alone. How a sample is timed: bpf-cost.ts.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { UnwinderVariant } from '../../src/native/sampler.ts'
import { completeShare, profileTruth } from '../helpers/native-stacks.ts'
import { runProfile, scratchDirectory } from '../helpers/profile-run.ts'
import { realPrograms } from '../helpers/real-programs.ts'
import { startCompanion, truthProgram } from '../helpers/truth.ts'
import { type CostOptions, leastSquares, sampleCost, startPinned, tickCost } from './bpf-cost.ts'

const RATE_HZ = 97
const WARM_HZ = 997
const SECONDS = Number(process.argv[2] ?? 8)
const CPU = cpus().length - 1
const DEPTHS = [8, 16, 32, 64, 128, 256, 500]
const HOPS = [16, 32, 64, 128, 256, 500]
const EXTRA_PROCESSES = 300
const RATE_ROUNDS = 4

function print(what: string, value: string, goal = ''): void {
  console.log(`${what.padEnd(62)}${value.padStart(16)}  ${goal}`)
}
const ns = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ns`
const kB = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`

async function costOf(
  command: readonly string[],
  tickNs: number,
  options: CostOptions,
): Promise<Awaited<ReturnType<typeof sampleCost>>> {
  const program = startPinned(CPU, command)
  try {
    return await sampleCost(program.pid, tickNs, options)
  } finally {
    await program.stop()
  }
}

/** Costs at each depth, printed; and the line through them. */
async function slopeOf(
  what: string,
  depths: readonly number[],
  command: (depth: number) => readonly string[],
  tickNs: number,
  options: CostOptions,
): Promise<{ fixed: number; slope: number }> {
  const points: [number, number][] = []
  for (const depth of depths) {
    const cost = await costOf(command(depth), tickNs, options)
    points.push([cost.frames, cost.sampleNs])
    const check = `own clock ${ns(cost.ownNs)}, ${(100 * cost.complete).toFixed(1)} % complete`
    print(`  ${what}, ${cost.frames.toFixed(1)} frames, ${cost.samples} samples`, ns(cost.sampleNs), check)
  }
  return leastSquares(points)
}

function benchMachine(): void {
  const command = ['-c', String(CPU), truthProgram('cold_call')]
  const [cold, warm] = execFileSync('taskset', command, { encoding: 'utf8' }).split(' ').map(Number)
  print('of this machine: an empty system call, 10 ms after the last', ns(cold!))
  print('  and one right after another', ns(warm!))
}

/**
 * As many rules about the rate as there can be, all asked in vain: the most that they can cost. Less than what one run
 * differs from the next, so runs with and without take turns, and the cheapest of each is told.
 */
async function benchRates(command: readonly string[], tickNs: number, options: CostOptions): Promise<void> {
  const selectors = ['comm', 'pid', 'pidNamespace'] as const
  const rateRules = Array.from({ length: 16 }, (_, i) => ({
    by: selectors[i % selectors.length]!,
    cgroupFd: -1,
    pidNamespace: 1,
    comm: `nobody ${i}`,
    pids: [process.pid],
    share: 0.5,
  }))
  const [none, all]: [number[], number[]] = [[], []]
  for (let round = 0; round < RATE_ROUNDS; round++) {
    none.push((await costOf(command, tickNs, options)).sampleNs)
    all.push((await costOf(command, tickNs, { ...options, rateRules })).sampleNs)
  }
  const dearest = `of ${RATE_ROUNDS}, at most ${ns(Math.max(...none))} and ${ns(Math.max(...all))}`
  print(`at ${WARM_HZ} Hz, a sample of 16 frames without rules about its rate`, ns(Math.min(...none)))
  print('  with 16 of them, none of which names it', ns(Math.min(...all)), dearest)
}

async function benchVariant(unwinder: UnwinderVariant): Promise<void> {
  const options: CostOptions = { unwinder, rateHz: RATE_HZ, seconds: SECONDS }
  const load = startPinned(CPU, [truthProgram('deep'), '8', '600'])
  const tickNs = await tickCost(options).finally(() => load.stop())
  console.log(`\nunwinder: ${unwinder}; BPF time by the kernel's statistics, target pinned to CPU ${CPU}`)
  print('a tick that hits no target', ns(tickNs))
  const deep = (depth: number) => [truthProgram('deep'), String(depth - 3), '600'] // 3: the C library's start
  await benchRates(deep(16), tickNs, { ...options, rateHz: WARM_HZ })
  const line = await slopeOf('recursion', DEPTHS, deep, tickNs, options)
  print('a sample, fixed', ns(line.fixed), 'goal 1 000 ns')
  print('and for each frame', ns(line.slope), 'goal 35 ns')
  const warm = await slopeOf(`at ${WARM_HZ} Hz`, DEPTHS, deep, tickNs, { ...options, rateHz: WARM_HZ })
  print(`a sample at ${WARM_HZ} Hz, fixed`, ns(warm.fixed))
  print('and for each frame', ns(warm.slope), 'goal 35 ns')
  const split = await costOf([truthProgram('callbacks'), '600'], tickNs, options)
  print(`the split with callbacks, ${split.frames.toFixed(1)} frames`, ns(split.sampleNs), 'goal 1 200 ns')
  const libraries = Array.from({ length: 16 }, (_, i) => truthProgram(`hop-${i}.so`))
  const hops = (depth: number) => [truthProgram('hops'), String(depth), '600', ...libraries]
  const hopping = await slopeOf('another file and page each frame', HOPS, hops, tickNs, options)
  print('for each frame in another file and page', ns(hopping.slope), 'goal 60 ns')
}

async function benchDepth(): Promise<void> {
  // The C library's start below, and up to three frames of the clock above.
  const { report } = await profileTruth([truthProgram('deep'), '1018', '3'], 499)
  const share = `${(100 * completeShare(report)).toFixed(2)} %`
  print('whole stacks of 1 021 to 1 024 frames', share, 'goal 100 %')
}

/** Tables of node after 30 s of its usual work. */
async function benchNodeTables(): Promise<void> {
  const node = realPrograms().find(({ name }) => name === 'node')!
  const { command, cwd } = node.prepare()
  const program = startCompanion(command[0]!, [...command.slice(1), '600'], cwd)
  try {
    const { unwind } = await sampleCost(program.pid, 0, { unwinder: 'auto', rateHz: RATE_HZ, seconds: 30 })
    const { bytes, bytesMax, shardBytes, pages, rules } = unwind.tables
    print('tables of node under load after 30 s', kB(bytes), 'goal 400 kB')
    print(`  at most ${kB(bytesMax)}, ${pages} pages, ${rules} rules; shards`, kB(shardBytes))
    print('  parked stacks, raw stacks finished', `${unwind.raw.parked}, ${unwind.raw.finished}`)
  } finally {
    await program.stop()
  }
}

/** Bytes of the BPF maps a process holds, the shards of tables apart, as the kernel charges them. */
function mapBytes(pid: number): { fixed: number; shards: number } {
  const sum = { fixed: 0, shards: 0 }
  const seen = new Set<string>()
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      if (!readlinkSync(`/proc/${pid}/fd/${fd}`).includes('bpf-map')) continue
      const text = readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')
      const field = (name: string) => new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? '0'
      if (seen.has(field('map_id'))) continue
      seen.add(field('map_id'))
      const isShard = field('value_size') === String(1 << 20)
      sum[isShard ? 'shards' : 'fixed'] += Number(field('memlock'))
    } catch {
      // closed meanwhile
    }
  }
  return sum
}

async function benchMaps(): Promise<void> {
  const load = startCompanion(truthProgram('callbacks'), ['600'])
  let sizes = { fixed: 0, shards: 0 }
  const onStarted = (pid: number) => void sleep(3000).then(() => (sizes = mapBytes(pid)))
  await runProfile(['--all', '-F', '19', '-d', '4'], { onStarted }).finally(() => load.stop())
  print(`BPF maps at 19 Hz, ${cpus().length} CPUs, rings included`, kB(sizes.fixed), 'goal 8 000 kB')
  print('  shards of tables', kB(sizes.shards))
}

/** Programs of several kinds, asleep. */
function startSleepers(count: number): ChildProcess[] {
  const kinds = [
    ['sleep', '600'],
    ['sh', '-c', 'sleep 600; :'],
    ['python3', '-c', 'import json, re, socket, time; time.sleep(600)'],
    ['perl', '-e', 'sleep 600'],
  ]
  return Array.from({ length: count }, (_, i) => {
    const [file, ...args] = kinds[i % 20 === 0 ? 2 : i % 3 === 0 ? 3 : i % 3 === 1 ? 0 : 1]!
    return spawn(file!, args, { stdio: 'ignore', detached: true })
  })
}

/** Exec to the first sample, which on a busy machine at this rate follows the start of the timers within 2 ms. */
async function readyMs(cache: string): Promise<number> {
  const { report } = await runProfile(['--all', '-F', '999', '-d', '1'], {
    env: { EMBERSCOPE_CACHE_DIR: cache },
  })
  return report.timing.start_to_first_sample_ns / 1e6
}

async function benchReady(): Promise<void> {
  const load = startCompanion(truthProgram('callbacks'), ['600'])
  const sleepers = startSleepers(EXTRA_PROCESSES)
  try {
    await sleep(5000)
    const cache = join(scratchDirectory(), 'cache')
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length
    const cold = await readyMs(cache)
    print(
      `--all with ${processes} processes: exec to first sample, no cache`,
      `${cold.toFixed(0)} ms`,
      'goal 1 000 ms',
    )
    const warm = [await readyMs(cache), await readyMs(cache), await readyMs(cache)].sort((a, b) => a - b)
    print('  with the cache of that run, median of 3', `${warm[1]!.toFixed(0)} ms`, 'goal 300 ms')
  } finally {
    for (const { pid } of sleepers) if (pid) process.kill(-pid, 'SIGKILL')
    await load.stop()
  }
}

const forced = process.env.EMBERSCOPE_UNWINDER
const variants: UnwinderVariant[] = forced ? [forced as UnwinderVariant] : ['loop', 'tail-calls']
benchMachine()
for (const variant of variants) await benchVariant(variant)
console.log('')
await benchDepth()
await benchNodeTables()
await benchMaps()
await benchReady()
