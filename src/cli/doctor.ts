/** `profile doctor [target]`: what works here, what does not, and the fix under each. Changes nothing. */
import { accessSync, constants } from 'node:fs'
import { AgentError } from '../errors.ts'
import { type Addon, loadAddon } from '../native/addon.ts'
import { cacheDirectory } from '../pipeline/unwinding.ts'
import { symbolizerPath } from '../symbolize/symbolizer-process.ts'
import type { DoctorCommand } from './arguments.ts'
import type { BinaryFinding } from './doctor-binary.ts'
import { checkTableCache } from './doctor-cache.ts'
import { examineProcess } from './doctor-target.ts'
import { checkHost, type Finding } from './preflight.ts'
import { printLines } from './print.ts'
import { findProcesses } from './target.ts'
import { type Style, styleOf } from './terminal.ts'
import type { World } from './world.ts'

/** Value of `schema` in `profile doctor --json`. */
const DOCTOR_SCHEMA = 'emberscope.doctor/1'
/** Processes of one name that are looked into; workers of one server are alike. */
const MAX_PROCESSES = 4
const EXIT_UNFIT = 3

/** Exit code 0, or 3 when something that profiling needs is missing. Errors: AgentError for an unknown target. */
export async function doctor(command: DoctorCommand, world: World): Promise<number> {
  const findings: BinaryFinding[] = [
    ...checkHost(world.host(), `${world.commandName} doctor`),
    checkSymbolizer(symbolizerPath()),
    checkTableCache(cacheDirectory(world.env, world.uid), world.uid),
  ]
  const addon = tryAddon(findings)
  if (addon && findings.every((f) => f.level !== 'failed'))
    findings.push(checkUnwinder(addon.unwinderOfKernel()))
  if (command.target && command.target.kind !== 'command' && command.target.kind !== 'all') {
    const { processes } = findProcesses(command.target, world.processes, world.pid)
    for (const process of addon ? processes.slice(0, MAX_PROCESSES) : [])
      findings.push(...(await examineProcess(process.pid, process.comm, addon!)))
  }
  const fit = findings.every((f) => f.level !== 'failed')
  const distinct = dropRepeated(findings)
  if (command.json) {
    const checks = distinct.map(({ code: _, ...shown }) => shown)
    world.stdout.write(`${JSON.stringify({ schema: DOCTOR_SCHEMA, ok: fit, checks })}\n`)
  } else printLines(world.stdout, checklist(distinct, styleOf(world.stdout, world.env)))
  return fit ? 0 : EXIT_UNFIT
}

/** Profiles are made without it too, but say less. Exported for tests. */
export function checkSymbolizer(path: string): Finding {
  try {
    accessSync(path, constants.X_OK)
    return {
      id: 'symbolizer',
      level: 'ok',
      text: 'symbolizer: lines and inlined functions',
      fix: '',
      code: 'internal',
    }
  } catch {
    return {
      id: 'symbolizer',
      level: 'warning',
      text: `${path} is missing: no source lines, inlined functions and readable C++ and Rust names`,
      fix: 'npm start in a checkout builds it',
      code: 'internal',
    }
  }
}

/** Adds the finding; undefined where the addon cannot be loaded. */
function tryAddon(findings: Finding[]): Addon | undefined {
  try {
    const addon = loadAddon()
    findings.push({ id: 'addon', level: 'ok', text: 'native addon loaded', fix: '', code: 'internal' })
    return addon
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    const fix = 'npm start in a checkout builds it'
    findings.push({ id: 'addon', level: 'failed', text: error.message, fix, code: error.code })
    return undefined
  }
}

const UNWINDERS = {
  loop: 'one BPF program walks the whole stack (bpf_loop)',
  'tail-calls': 'BPF programs that call one another walk the stack (no bpf_loop in this kernel)',
} as const

/** Both reach as deep; it tells what was tried out. Exported for tests. */
export function checkUnwinder(variant: keyof typeof UNWINDERS): Finding {
  return { id: 'unwinder', level: 'ok', text: `unwinder: ${UNWINDERS[variant]}`, fix: '', code: 'internal' }
}

/** Workers of one server map the same files: each is told once. */
function dropRepeated(findings: readonly BinaryFinding[]): BinaryFinding[] {
  return [...new Map(findings.map((f) => [`${f.id} ${f.text}`, f])).values()]
}

const MARKS = { ok: ['✓', '+'], warning: ['!', '!'], failed: ['✗', 'x'] } as const
const MARK_COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const

/** '✓ text', with '    fix: ...' below where there is one. Pure. */
export function checklist(findings: readonly Finding[], style: Style): string[] {
  return findings.flatMap((f) => {
    const mark = style.paint(MARK_COLOURS[f.level], MARKS[f.level][style.unicode ? 0 : 1])
    return [`${mark} ${f.text}`, ...(f.fix === '' || f.level === 'ok' ? [] : [`    fix: ${f.fix}`])]
  })
}
