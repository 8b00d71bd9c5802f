/**
 * A profile into all the outputs that were asked for: each one is tried, a failure is reported and the next one
 * still written, so nothing captured is lost to one full disk.
 */
import { hostname } from 'node:os'
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { redact, redactionText } from '../model/redact.ts'
import { encodeProfile } from './encode.ts'
import type { FoldedRoot } from './options.ts'
import { type Contents, collected, type Placement, type WrittenFile, writeOutput } from './output-files.ts'
import { isStdout, type Output } from './output-plan.ts'
import { stream } from './print.ts'
import type { TextOutput } from './world.ts'

export interface WriteResult {
  readonly files: readonly WrittenFile[]
  /** What failed, in the order of the outputs. */
  readonly failures: readonly AgentError[]
}

/** The same with the profile as it was written: what is said of it must not tell what was hidden. */
export interface WrittenProfile extends WriteResult {
  readonly profile: Profile
}

export interface WriteRequest {
  readonly outputs: readonly Output[]
  readonly placement: Placement
  readonly foldedRoot: FoldedRoot
  /** Hide what tells of a host or a user, and say so. */
  readonly redact: boolean
  /** The profile as OTLP by one who knows whose the samples are; not asked when that is to be hidden. */
  readonly otlp?: () => Promise<Uint8Array>
}

/** A profile as files; `told` gets a line about what was hidden. Errors that are no AgentError pass through. */
export async function writeOutputs(
  profile: Profile,
  request: WriteRequest,
  stdout: TextOutput,
  told: (line: string) => void,
): Promise<WrittenProfile> {
  const { outputs, placement, foldedRoot } = request
  const written = request.redact ? redacted(profile, told) : profile
  const otlp = request.redact ? undefined : request.otlp
  const encode = (format: Output['format']['name']) => encodeProfile(written, format, foldedRoot, otlp)
  return { ...(await writeEach(outputs, placement, encode, stdout)), profile: written }
}

/** The profile for strangers, and the line about it. */
export function redacted(profile: Profile, told: (line: string) => void): Profile {
  const hidden = redact(profile, { hostNames: [hostname()] })
  told(redactionText(hidden))
  return hidden.profile
}

/** Files first, standard output last (its reader may be slow). Errors that are no AgentError pass through. */
export async function writeEach<Name extends string>(
  outputs: readonly Output<Name>[],
  placement: Placement,
  encode: (format: Name) => Promise<Contents>,
  stdout: TextOutput,
): Promise<WriteResult> {
  const files: WrittenFile[] = []
  const failures: AgentError[] = []
  for (const output of outputs.toSorted((a, b) => Number(isStdout(a)) - Number(isStdout(b)))) {
    try {
      const contents = await encode(output.format.name)
      if (isStdout(output)) await stream(stdout, collected(contents))
      else files.push(writeOutput(output.path, output.format.name, contents, placement))
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      failures.push(error)
    }
  }
  return { files, failures }
}
