/** Keeps the pump on time on an overloaded host: a ring that nobody drains loses samples. */
import { getPriority, setPriority } from 'node:os'

/** Nice levels we go up while sampling; the pump runs for some milliseconds of a second. */
const LEVELS = 10

/** Raises our priority, where we may, and returns what puts it back. Children started before keep theirs. */
export function raisePriority(): () => void {
  const before = getPriority()
  try {
    setPriority(Math.max(-20, before - LEVELS))
  } catch {
    return () => {} // no CAP_SYS_NICE: the ring is sized for a stall of seconds
  }
  return () => setPriority(before)
}
