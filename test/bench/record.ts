/**
 * What a recording costs from exec to files, beside `perf record -g` + `perf script` on the same program in the same
 * minute: the target is node (a large binary) under load. Prints medians of several runs; asserts nothing.
 * Usage: npm run bench [runs]. Needs root.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadAddon } from '../../src/native/addon.ts'
import { findTool } from '../helpers/host.ts'
import { type ProfileRun, runCommand, runProfile, scratchDirectory } from '../helpers/profile-run.ts'
import { type Companion, startCompanion, startTruth } from '../helpers/truth.ts'
import { OPTIONS } from '../native/sampler-options.ts'

const RATE_HZ = 99
const SECONDS = 3
const RUNS = Number(process.argv[2] ?? 5)

const BUSY_NODE = `
const end = Date.now() + 600000
const numbers = (n) => Array.from({ length: n }, (_, i) => ({ i, text: String(i * 31) }))
while (Date.now() < end) JSON.parse(JSON.stringify(numbers(5000))).sort((a, b) => (a.text < b.text ? -1 : 1))
`

/** Figures of one run by name, in the unit of the table. */
type Figures = Record<string, number>

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Medians of each figure over the runs. */
function medians(runs: readonly Figures[]): Figures {
  return Object.fromEntries(
    Object.keys(runs[0]!).map((name) => [name, median(runs.map((run) => run[name]!))]),
  )
}

async function ours(target: Companion): Promise<Figures> {
  const page = join(scratchDirectory(), 'page.html')
  const startedAt = performance.now()
  await runCommand(['-F', String(RATE_HZ), '-d', String(SECONDS), '-q', '-o', page, String(target.pid)])
  const wallMs = performance.now() - startedAt
  const run = await runProfile(['-F', String(RATE_HZ), '-d', String(SECONDS), String(target.pid)])
  return { ...figuresOf(run), endToEndMs: wallMs - SECONDS * 1000, pageBytes: statSync(page).size }
}

function figuresOf({ report, directory }: ProfileRun): Figures {
  const { overhead, timing, samples, duration_ns } = report
  return {
    firstSampleMs: timing.start_to_first_sample_ns / 1e6,
    filesMs: timing.last_sample_to_files_ns / 1e6,
    rssMb: overhead.rss_bytes / 1e6,
    cpuPercent: (100 * overhead.cpu_ns) / duration_ns,
    bpfPercent: (100 * overhead.bpf_time_ns) / duration_ns / cpus().length,
    samples: samples.captured,
    pprofBytes: statSync(join(directory, 'out.pb.gz')).size,
  }
}

function perf(target: Companion): Figures {
  const directory = scratchDirectory()
  const data = join(directory, 'perf.data')
  const text = join(directory, 'perf.txt')
  const startedAt = performance.now()
  const record = [
    'record',
    '-q',
    '-e',
    'cpu-clock',
    '-F',
    String(RATE_HZ),
    '-g',
    '-p',
    String(target.pid),
    '-o',
    data,
  ]
  spawnSync('perf', [...record, '--', 'sleep', String(SECONDS)], { stdio: 'ignore' })
  const script = spawnSync('perf', ['script', '-i', data], { maxBuffer: 1 << 30 })
  writeFileSync(text, script.stdout)
  const wallMs = performance.now() - startedAt
  return {
    endToEndMs: wallMs - SECONDS * 1000,
    dataBytes: statSync(data).size,
    textBytes: readFileSync(text).length,
  }
}

/** Nanoseconds of BPF per captured sample and per tick without one, at a stack depth of the truth program. */
async function bpfCost(depth: number): Promise<{ sampleNs: number; tickNs: number }> {
  const { Sampler, abi } = loadAddon()
  const options = { ...OPTIONS, rateHz: 999, event: 'cpu-clock', ringBytes: 1 << 24 } as const
  const program = startTruth('threads', String(cpus().length), '60', String(depth))
  const measure = async (pid: number) => {
    const sampler = new Sampler(options)
    sampler.addTarget(pid)
    sampler.start()
    await sleep(2000)
    sampler.stop()
    const captured = sampler.counters()[abi.counters.indexOf('captured')]!
    const { runs, timeNs } = sampler.bpfStats()
    sampler.close()
    return { captured, runs, timeNs }
  }
  try {
    const nothing = await measure(process.pid) // asleep: every tick is another's
    const tickNs = nothing.timeNs / nothing.runs
    const busy = await measure(program.pid)
    return { tickNs, sampleNs: (busy.timeNs - (busy.runs - busy.captured) * tickNs) / busy.captured }
  } finally {
    await program.stop()
  }
}

function print(rows: readonly (readonly [what: string, value: string, goal: string])[]): void {
  for (const [what, value, goal] of rows) console.log(`${what.padEnd(58)}${value.padStart(14)}  ${goal}`)
}

const kB = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`

async function main(): Promise<void> {
  const script = join(scratchDirectory(), 'busy.js')
  writeFileSync(script, BUSY_NODE)
  const target = startCompanion(process.execPath, [script])
  await sleep(1000)
  const own: Figures[] = []
  const peer: Figures[] = []
  try {
    for (let run = 0; run < RUNS; run++) {
      own.push(await ours(target))
      if (findTool('perf') !== '') peer.push(perf(target))
    }
  } finally {
    await target.stop()
  }
  const us = medians(own)
  console.log(
    `node under load, ${SECONDS} s at ${RATE_HZ} Hz, medians of ${RUNS} runs, ${cpus().length} CPUs`,
  )
  print([
    ['exec to first sample', `${us.firstSampleMs!.toFixed(0)} ms`, 'goal 300 ms'],
    ['last sample to files written', `${us.filesMs!.toFixed(0)} ms`, 'goal 500 ms'],
    ['memory while sampling one process', `${us.rssMb!.toFixed(1)} MB`, 'goal 90 MB'],
    ['CPU, start and symbols included, of one core', `${us.cpuPercent!.toFixed(2)} %`, ''],
    ['of it BPF, of all cores', `${us.bpfPercent!.toFixed(4)} %`, ''],
  ])
  const shallow = await bpfCost(3)
  const deep = await bpfCost(60)
  print([
    ['BPF per captured sample, 6 frames', `${shallow.sampleNs.toFixed(0)} ns`, ''],
    ['BPF per captured sample, 63 frames', `${deep.sampleNs.toFixed(0)} ns`, ''],
    ['BPF per tick without a sample', `${deep.tickNs.toFixed(0)} ns`, ''],
  ])
  if (peer.length === 0) return console.log('no peer: perf is not installed')
  const them = medians(peer)
  const ratio = (a: number, b: number): string => `${(a / b).toFixed(2)} x perf's`
  print([
    ['time beyond the sampling, to a page', `${us.endToEndMs!.toFixed(0)} ms`, ''],
    [
      'perf record + perf script',
      `${them.endToEndMs!.toFixed(0)} ms`,
      ratio(us.endToEndMs!, them.endToEndMs!),
    ],
    ['pprof file', kB(us.pprofBytes!), ''],
    ['page with everything in it', kB(us.pageBytes!), ''],
    ['perf.data', kB(them.dataBytes!), ratio(us.pprofBytes!, them.dataBytes!)],
    ['perf script text', kB(them.textBytes!), ratio(us.pprofBytes!, them.textBytes!)],
  ])
}

await main()
