/**
 * Ctrl-C and its relatives during a capture. Attached: the first one ends sampling and everything is written, a
 * second Ctrl-C aborts. Launched: the command shares our foreground group and gets Ctrl-C from the terminal itself,
 * so we wait for its end; TERM and HUP reach only us and are passed on.
 */
import type { Launched } from './launch.ts'
import type { World } from './world.ts'

/** Exit code of an abort: 128 + SIGINT, as shells count. */
export const ABORTED = 130

/** Programs that ask "again to quit" on Ctrl-C are common: only two close together mean us while a command lives. */
const ABORT_WITHIN_NS = 3_000_000_000n

export interface StopSignals {
  /** Aborted by the first signal when attached; with a command, never. */
  readonly stop: AbortSignal
  /** The command has ended: from now on a second Ctrl-C aborts whenever it comes. */
  commandEnded(): void
  /** Removes the handlers. */
  close(): void
}

/** `onAbort` runs right before the program ends. */
export function stopSignals(world: World, launched: Launched | null, onAbort: () => void): StopSignals {
  const controller = new AbortController()
  let commandLives = launched !== null
  let lastInterrupt: bigint | null = null
  const interrupt = (): void => {
    const now = world.monotonicNs()
    const again = lastInterrupt !== null && (!commandLives || now - lastInterrupt <= ABORT_WITHIN_NS)
    lastInterrupt = now
    if (again) {
      onAbort()
      launched?.cancel()
      if (commandLives) launched?.kill('SIGTERM')
      world.exit(ABORTED)
    } else if (!commandLives) controller.abort()
  }
  const forward = (signal: NodeJS.Signals) => (): void => {
    if (commandLives) launched?.kill(signal)
    else controller.abort()
  }
  const removers = [
    world.onSignal('SIGINT', interrupt),
    world.onSignal('SIGTERM', forward('SIGTERM')),
    world.onSignal('SIGHUP', forward('SIGHUP')),
  ]
  return {
    stop: controller.signal,
    commandEnded: () => {
      commandLives = false
    },
    close: () => {
      for (const remove of removers) remove()
    },
  }
}
