/** `--redact`: the profile as it may be shared, and a line for the user that says what was hidden and what was not. */
import type { Profile } from '../model/profile.ts'

/** The profile itself where nobody asked. `tell` gets the line, unless the user wants errors only. */
export async function redactedIf(
  { redact: wanted, quiet = false }: { readonly redact: boolean; readonly quiet?: boolean },
  profile: Profile,
  tell: (line: string) => void,
): Promise<Profile> {
  if (!wanted) return profile
  const { redact, redactionText } = await import('../model/redact.ts')
  const redacted = redact(profile)
  if (!quiet) tell(redactionText(redacted))
  return redacted.profile
}
