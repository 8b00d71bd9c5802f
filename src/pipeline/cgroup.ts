/** Opens the cgroup of a `--cgroup` filter; only the v2 hierarchy can be tested inside the kernel. */
import { closeSync, constants, openSync, statfsSync } from 'node:fs'
import { AgentError } from '../errors.ts'

const CGROUP2_SUPER_MAGIC = 0x63677270

/** Runs `use` with an open descriptor of the directory (0 for ''), which is closed afterwards. Errors: AgentError. */
export function withCgroup<T>(path: string, use: (fd: number) => T): T {
  if (path === '') return use(0)
  let fd: number
  try {
    if (statfsSync(path).type !== CGROUP2_SUPER_MAGIC)
      throw new AgentError(
        'usage',
        `cannot filter by ${path}: it is not in a cgroup v2 hierarchy; use a directory below the cgroup2 mount (see \`findmnt -t cgroup2\`)`,
      )
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw new AgentError('target_not_found', `cannot open the cgroup ${path}: ${(cause as Error).message}`, {
      cause,
    })
  }
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}
