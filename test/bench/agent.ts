/**
 * What the agent costs, by the figures it promises: an idle host at 19 Hz, 300 processes at 97 Hz, from exec to the
 * first sample, and with `day` 24 hours of windows by a clock that runs fast. Prints; asserts nothing. Other load on
 * the machine shows in every figure, so it is printed too. On one that others use, `quiet` comes nearest to an idle host:
 * only one process, which hardly does a thing, is profiled. `storm` is a host that does little but start programs.
 * Usage: npm run bench:agent [start|idle|quiet|busy|storm|day]... Needs root.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentRun, endAgents, eventually, startAgent } from '../helpers/agent-run.ts'
import { type OtlpReceiver, startReceiver } from '../helpers/otlp-receiver.ts'
import { simulateDay } from './agent-day.ts'

const STARTS = 9
/** Until names are cached and tables are loaded. */
const SETTLE_S = 45
const MEASURE_S = 60
const PROCESSES = 300
/** USER_HZ. */
const TICKS_PER_SECOND = 100

interface Cost {
  readonly cpuSeconds: number
  readonly bpfSeconds: number
}

const print = (name: string, value: number, unit: string, goal: string) =>
  console.log(
    `${name.padEnd(44)} ${value.toFixed(value < 10 ? 2 : 1).padStart(8)} ${unit.padEnd(14)} ${goal}`,
  )

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

/** Nanoseconds of all CPUs in use between two looks, as cores; tells how idle the host was. */
function busySeconds(): number {
  const times = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq)
  return times.reduce((sum, ms) => sum + ms, 0) / 1000
}

async function costOf(agent: AgentRun): Promise<Cost> {
  const stat = readFileSync(`/proc/${agent.pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime, stime and those of the children that were waited for: fields 14 to 17.
  const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0)
  const bpfSeconds = await agent.metric('emberscope_bpf_seconds_total')
  return { cpuSeconds: ticks / TICKS_PER_SECOND, bpfSeconds }
}

/** Resident memory, and the BPF maps beside it: those mapped into the agent are in its RSS already. */
async function memoryOf(agent: AgentRun): Promise<{ rss: number; maps: number }> {
  let [rss, mapped, inMap] = [0, 0, false]
  for (const line of readFileSync(`/proc/${agent.pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) inMap = line.includes('anon_inode:bpf-map')
    const kb = /^Rss:\s+(\d+)/.exec(line)?.[1]
    if (kb === undefined) continue
    rss += Number(kb)
    if (inMap) mapped += Number(kb)
  }
  const maps = await agent.metric('emberscope_bpf_map_bytes')
  return { rss: rss / 1024, maps: Math.max(0, maps / 2 ** 20 - mapped / 1024) }
}

async function starts(receiver: OtlpReceiver): Promise<void> {
  const firstMs: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const agent = startAgent(['--exporter-endpoint', receiver.url, '--window', '10s'])
    await agent.logged(/profiling/)
    const taken = async () => (await agent.metric('emberscope_start_to_first_sample_seconds')) > 0
    await eventually('the first sample was taken', taken)
    firstMs.push(1000 * (await agent.metric('emberscope_start_to_first_sample_seconds')))
    await agent.end()
  }
  print('start to first sample, median', median(firstMs), 'ms', '<= 450, aim 300')
  print('start to first sample, worst', Math.max(...firstMs), 'ms', '')
}

async function steady(
  receiver: OtlpReceiver,
  name: string,
  flags: readonly string[],
  goals: readonly string[],
) {
  const agent = startAgent([
    '--exporter-endpoint',
    receiver.url,
    '--window',
    '10s',
    '--max-overhead',
    '100%',
    ...flags,
  ])
  await agent.logged(/profiling/)
  await sleep(SETTLE_S * 1000)
  const [before, hostBefore] = [await costOf(agent), busySeconds()]
  await sleep(MEASURE_S * 1000)
  const [after, hostAfter] = [await costOf(agent), busySeconds()]
  const percent = (seconds: number) => (100 * seconds) / MEASURE_S
  const own = percent(after.cpuSeconds - before.cpuSeconds)
  const bpf = percent(after.bpfSeconds - before.bpfSeconds)
  const memory = await memoryOf(agent)
  print(`${name}: CPU, agent and BPF`, own + bpf, '% of a core', goals[0]!)
  print(`${name}: of it BPF`, bpf, '% of a core', '')
  print(`${name}: RSS and BPF maps`, memory.rss + memory.maps, 'MiB', goals[1]!)
  print(`${name}: of it BPF maps outside of RSS`, memory.maps, 'MiB', '')
  const metric = async (of: string) => 1000 * (await agent.metric(of))
  print(
    `${name}: naming a window, main thread`,
    await metric('emberscope_window_processing_seconds'),
    'ms',
    '',
  )
  print(`${name}: exporting a window, CPU`, await metric('emberscope_window_export_seconds'), 'ms', '<= 20')
  print(`${name}: longest pause of the loop`, await metric('emberscope_longest_pause_seconds'), 'ms', '<= 10')
  print(`${name}: everything else on the host`, percent(hostAfter - hostBefore) - own, '% of a core', '')
  await agent.end()
}

/** Long-running shells that burn some milliseconds three times a second. */
const WORKER = 'exec 3<> <(:); while :; do for ((i = 0; i < 400; i++)); do :; done; read -t 0.3 -u 3; done'
/** And one in thirty that starts a program as often. */
const STARTER = 'while :; do for ((i = 0; i < 400; i++)); do :; done; sleep 0.3; done'

/** What a full node does. `starters`: one of so many starts programs. */
function crowd(starters: number): ChildProcess[] {
  const script = (i: number) => (i % starters === 0 ? STARTER : WORKER)
  const start = (i: number) => spawn('/bin/bash', ['-c', script(i)], { stdio: 'ignore', detached: true })
  return Array.from({ length: PROCESSES }, (_, i) => start(i))
}

async function among(receiver: OtlpReceiver, name: string, starters: number): Promise<void> {
  const processes = crowd(starters)
  try {
    await steady(receiver, name, ['--rate', '97'], ['<= 1.00', '<= 100'])
  } finally {
    for (const { pid } of processes) if (pid) process.kill(-pid, 'SIGKILL')
  }
}

/** Wakes up ten times a second for a fraction of a millisecond. */
function loner(): ChildProcess {
  const script = 'setInterval(() => { for (let i = 0; i < 1e5; i++); }, 100)'
  return spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
}

const wanted = process.argv.slice(2)
const wants = (part: string) =>
  wanted.length === 0 ? ['start', 'idle', 'busy'].includes(part) : wanted.includes(part)
console.log(`${cpus().length} CPUs, load ${loadavg()[0]!.toFixed(2)}, Node ${process.version}`)
const receiver = await startReceiver(0, false)
process.on('exit', endAgents)
if (wants('start')) await starts(receiver)
if (wants('idle')) await steady(receiver, 'idle, 19 Hz', [], ['<= 0.30', '<= 70'])
if (wants('quiet')) {
  const process = loner()
  try {
    const flags = ['--filter-pids', String(process.pid)]
    await steady(receiver, 'one quiet process, 19 Hz', flags, ['<= 0.30', '<= 70'])
  } finally {
    process.kill('SIGKILL')
  }
}
if (wants('busy')) await among(receiver, `${PROCESSES} processes, 97 Hz`, 30)
if (wants('storm')) await among(receiver, `${PROCESSES} that start programs, 97 Hz`, 1)
if (wants('day')) await simulateDay(receiver.url, print)
await receiver.close()
