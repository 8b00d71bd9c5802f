/** A process that burns CPU until the test ends it, and waiting for what another process does. */
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** Started processes end with the test process, however that ends. */
const started = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL')
})

/** A shell in an endless loop; `name` is its argv[0]. */
export function startBusy(name = 'sh'): ChildProcess & { pid: number } {
  return start('/bin/sh', ['-c', 'while :; do :; done'], name)
}

/** A process that only sleeps. */
export function startIdle(): ChildProcess & { pid: number } {
  return start('/bin/sleep', ['600'], 'sleep')
}

function start(file: string, args: string[], argv0: string): ChildProcess & { pid: number } {
  const child = spawn(file, args, { stdio: 'ignore', argv0 })
  started.add(child)
  child.once('exit', () => started.delete(child))
  return child as ChildProcess & { pid: number }
}

/** Looks every 50 ms until `holds` does; throws with `what` after 20 s. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited 20 s in vain until ${what}`)
    await sleep(50)
  }
}
