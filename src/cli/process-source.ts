/**
 * The processes of this host as the command line needs them: to find a target by name, to refuse what cannot be
 * one, and to know who started us. Read from /proc; a process that ends meanwhile is simply not there.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'

export interface ProcessInfo {
  readonly pid: number
  /** Thread group: differs from `pid` when that is a thread's id. */
  readonly tgid: number
  readonly ppid: number
  readonly comm: string
  /** Path of the executable, '' when it cannot be read. */
  readonly exe: string
  readonly argv: readonly string[]
  /** One letter of proc(5): R, S, D, Z, X, ... */
  readonly state: string
  readonly kernelThread: boolean
}

export interface ProcessSource {
  list(): ProcessInfo[]
  /** null when there is no such process. */
  read(pid: number): ProcessInfo | null
}

/** PF_KTHREAD of include/linux/sched.h, in the flags of /proc/PID/stat. */
const PF_KTHREAD = 0x0020_0000

/** Reads below `root`, normally '/proc'. */
export function procProcesses(root: string): ProcessSource {
  const read = (pid: number): ProcessInfo | null => readProcess(root, pid)
  return {
    read,
    list: () =>
      readdirSync(root)
        .filter((name) => /^\d+$/.test(name))
        .map((name) => read(Number(name)))
        .filter((info) => info !== null),
  }
}

function readProcess(root: string, pid: number): ProcessInfo | null {
  const directory = join(root, String(pid))
  const stat = readText(join(directory, 'stat'))
  const parsed = parseStat(stat)
  if (!parsed) return null
  const tgid = Number(/^Tgid:\s*(\d+)/m.exec(readText(join(directory, 'status')))?.[1] ?? pid)
  const argv = readText(join(directory, 'cmdline')).split('\0')
  if (argv.at(-1) === '') argv.pop()
  return { pid, tgid, ...parsed, exe: readExe(join(directory, 'exe')), argv }
}

/** The fields we use of one /proc/PID/stat line; the name may hold spaces and parentheses. null when it is not one. */
export function parseStat(
  stat: string,
): Pick<ProcessInfo, 'comm' | 'state' | 'ppid' | 'kernelThread'> | null {
  const open = stat.indexOf('(')
  const close = stat.lastIndexOf(')')
  if (open < 0 || close < open) return null
  const fields = stat.slice(close + 2).split(' ')
  return {
    comm: stat.slice(open + 1, close),
    state: fields[0] ?? '',
    ppid: Number(fields[1] ?? 0),
    kernelThread: (Number(fields[6] ?? 0) & PF_KTHREAD) !== 0,
  }
}

/** Short names a process answers to: thread name, executable, argv[0]; no duplicates. */
export function namesOf(info: ProcessInfo): string[] {
  const exe = basename(info.exe.replace(/ \(deleted\)$/, ''))
  const argv0 = basename((info.argv[0] ?? '').replace(/^-/, ''))
  return [...new Set([info.comm, exe, argv0])].filter((name) => name !== '')
}

/** Programs whose first argument names what they run; an editor's first argument names only what it shows. */
const INTERPRETER =
  /^(python|pypy|node|nodejs|deno|bun|ruby|perl|php|lua|luajit|bash|dash|sh|zsh|ksh|Rscript)[\d.]*$/

/** File name of the script an interpreter was started with (its first argument that is no option), '' without one. */
export function scriptOf(info: ProcessInfo): string {
  if (!namesOf(info).some((name) => INTERPRETER.test(name))) return ''
  return basename(info.argv.slice(1).find((argument) => !argument.startsWith('-')) ?? '')
}

/** Pids of the processes above `pid`, nearest first; it stops at init or where /proc ends. */
export function ancestorsOf(pid: number, processes: ProcessSource): ProcessInfo[] {
  const above: ProcessInfo[] = []
  let info = processes.read(pid)
  while (info && info.ppid > 0 && above.length < 64) {
    info = processes.read(info.ppid)
    if (info) above.push(info)
  }
  return above
}

// A process may end or be closed to us between two reads; both mean "nothing known".
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function readExe(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
