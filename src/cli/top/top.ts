/**
 * `profile top`: what the processor does now, a second at a time. On a terminal a view with keys; elsewhere one frame of
 * text a second, or with `--json` one object. Sampling is the agent's own pipeline, with windows of a second.
 */
import type { ReadStream, WriteStream } from 'node:tty'
import type { Profile } from '../../model/profile.ts'
import type { TopCommand } from '../arguments.ts'
import type { Deps, WatchRequest } from '../deps.ts'
import { refuseUnfitHost } from '../preflight.ts'
import { printLines } from '../print.ts'
import { findCgroup, findProcesses } from '../target.ts'
import { clean, styleOf } from '../terminal.ts'
import type { World } from '../world.ts'
import { TopHistory } from './history.ts'
import { topJson } from './json.ts'
import { renderTop } from './render.ts'
import { OwnTerminal, type Terminal } from './screen.ts'
import { TopView } from './view.ts'
import { FIRST_STATE } from './view-state.ts'

const WINDOW_MS = 1000
/** Rows of a frame that goes to a file or a pipe. */
const PLAIN_ROWS = 26

/** Exit code. Errors: AgentError. `terminal` is this process's own unless a test brings one. */
export async function top(
  command: TopCommand,
  deps: Deps,
  world: World,
  again: string,
  terminal: Terminal | null = ownTerminal(command, world),
): Promise<number> {
  refuseUnfitHost(world.host(), again)
  const { request, title } = planWatch(command, world)
  const ended = untilEnd(command, world)
  const view =
    terminal === null
      ? plainView(command, title, world)
      : new TopView({ terminal, title, style: styleOf(world.stdout, world.env), quit: ended.end })
  try {
    view.open()
    const watching = await deps.watch(request, (profile) => view.add(profile))
    await ended.promise
    // The view goes first: closing the sampler takes a moment in which keys would do nothing.
    view.close()
    await watching.stop()
    return 0
  } finally {
    view.close()
    ended.close()
  }
}

/** What a window is shown by. */
interface View {
  open(): void
  add(profile: Profile): void
  close(): void
}

function ownTerminal(command: TopCommand, world: World): Terminal | null {
  const isTerminal = world.stdout.isTTY === true && process.stdin.isTTY === true && world.env.TERM !== 'dumb'
  if (command.json || !isTerminal) return null
  return new OwnTerminal(process.stdin as ReadStream, process.stdout as WriteStream)
}

function planWatch(command: TopCommand, world: World): { request: WatchRequest; title: string } {
  const { target, rateHz, kernelStacks, comm, cgroup } = command
  const cgroupPath = cgroup === '' ? '' : findCgroup(cgroup, world.cwd, world.host().cgroup2)
  const rest = { rateHz, kernelStacks, comm, cgroupPath, windowMs: WINDOW_MS }
  if (target.kind === 'all' || target.kind === 'command')
    return { request: { ...rest, pids: [] }, title: `all processes of ${clean(world.hostname)}` }
  const { processes, name } = findProcesses(target, world.processes, world.pid)
  const pids = processes.map(({ pid }) => pid)
  const which = pids.length === 1 ? `pid ${pids[0]}` : `${pids.length} processes`
  return { request: { ...rest, pids }, title: `${clean(name)} (${which})` }
}

/** Ends by a signal, by -d, when the view quits, or when nobody reads any more (`profile top | head`). */
function untilEnd(command: TopCommand, world: World) {
  let end: () => void = () => {}
  const promise = new Promise<void>((done) => {
    end = done
  })
  const removers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => world.onSignal(signal, end))
  world.stdout.once('close', end)
  const timer = command.durationMs === null ? undefined : setTimeout(end, command.durationMs)
  const close = (): void => {
    clearTimeout(timer)
    world.stdout.off('close', end)
    for (const remove of removers) remove()
  }
  return { promise, end, close }
}

function plainView({ json }: TopCommand, title: string, world: World): View {
  const history = new TopHistory()
  const style = styleOf(world.stdout, world.env)
  const state = { ...FIRST_STATE }
  return {
    open() {},
    add(profile) {
      history.add(profile)
      const data = history.data(json ? 1 : state.span, state.sort, '')
      if (json) return void world.stdout.write(`${JSON.stringify(topJson(data, profile))}\n`)
      const past = (key: string, sort: 'self' | 'total'): number[] => history.past(key, sort)
      const screen = { state, data, title, past, detail: null, problem: '' }
      const lines = renderTop(screen, { columns: style.columns, rows: PLAIN_ROWS }, style).slice(0, -1)
      printLines(world.stdout, [...trimmed(lines), ''])
    },
    close() {},
  }
}

/** Without the blank lines at the end, and without the marker of a choice nobody made. */
function trimmed(lines: readonly string[]): string[] {
  const last = lines.findLastIndex((line) => line !== '')
  return lines.slice(0, last + 1).map((line) => line.replace(/^> /, '  '))
}
