/** The ways OTLP profiles can be refused. All are AgentError input_invalid. */
import { AgentError } from '../errors.ts'
import { LIMITS } from '../model/limits.ts'

/** The bytes break the wire format at `offset`. */
export function damaged(offset: number, reason: string): never {
  throw new AgentError('input_invalid', `the OTLP profile is damaged at byte ${offset}: ${reason}`)
}

/** It can be read, but breaks a rule of the format; `reason` begins with the field and its indices. */
export function inconsistent(reason: string): never {
  throw new AgentError('input_invalid', `the OTLP profile is damaged: ${reason}`)
}

/** Fields of the time before proto 1.10 (P-01), which would else be taken for others. */
export function outdated(offset: number, sign: string): never {
  throw new AgentError(
    'input_invalid',
    `cannot read the OTLP profile: the payload looks like OTLP profiles of proto 1.9 or older (${sign} at byte ${offset}); its sender needs proto 1.10 or later`,
  )
}

/** Nothing is wrong with it, but it passes a limit of ours (model/limits.ts). */
export function tooMany(what: string, limit: number): never {
  throw new AgentError('input_invalid', `cannot read the OTLP profile: ${what}, our limit is ${limit}`)
}

/** Most values inside values: nobody nests attributes so deep. */
export const MOST_NESTED = 32

/** Counts what becomes an object each, against the limit of a file's tables. */
export class Budget {
  #left: number = LIMITS.tableEntries

  /** `weight`: how many times the size of a table entry. */
  take(weight = 1): void {
    this.#left -= weight
    if (this.#left < 0) tooMany('too many table entries', LIMITS.tableEntries)
  }
}
