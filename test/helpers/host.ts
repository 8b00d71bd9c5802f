/** What a test needs of the machine, as a reason to skip it: printed by the runner, never silent. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where PATH finds a program, '' when it does not. */
export function findTool(name: string): string {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this one
    }
  }
  return ''
}

/** `skip` of a test that samples and needs these programs: false, or what is missing. */
export function skipUnless(...tools: string[]): string | false {
  if (process.getuid?.() !== 0) return 'needs root: it samples with BPF'
  const missing = tools.filter((tool) => findTool(tool) === '')
  return missing.length > 0 && `needs ${missing.join(', ')}`
}
