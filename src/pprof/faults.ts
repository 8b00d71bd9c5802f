/** The three ways a pprof file can be refused once it is known to be one. All are AgentError input_invalid. */
import { AgentError } from '../errors.ts'

/** The bytes break the wire format at `offset`. */
export function damaged(offset: number, reason: string): never {
  throw new AgentError('input_invalid', `the pprof profile is damaged at byte ${offset}: ${reason}`)
}

/** The bytes can be parsed, but contradict themselves. */
export function inconsistent(reason: string): never {
  throw new AgentError('input_invalid', `the pprof profile is damaged: ${reason}`)
}

/** Nothing is wrong with it, but it passes a limit of ours (model/limits.ts). */
export function tooMany(what: string, limit: number): never {
  throw new AgentError('input_invalid', `cannot read the pprof profile: ${what}, our limit is ${limit}`)
}
