/** Opens the cgroups of a filter; only the v2 hierarchy can be tested inside the kernel. */
import { closeSync, constants, openSync, statfsSync } from 'node:fs'
import { AgentError } from '../errors.ts'

const CGROUP2_SUPER_MAGIC = 0x63677270

/** Runs `use` with open descriptors of the directories, which are closed afterwards. Errors: AgentError. */
export function withCgroups<T>(paths: readonly string[], use: (fds: readonly number[]) => T): T {
  const fds: number[] = []
  try {
    for (const path of paths) fds.push(openCgroup(path))
    return use(fds)
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}

function openCgroup(path: string): number {
  try {
    if (statfsSync(path).type === CGROUP2_SUPER_MAGIC)
      return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (cause) {
    throw new AgentError('target_not_found', `cannot open the cgroup ${path}: ${(cause as Error).message}`, {
      cause,
    })
  }
  throw new AgentError(
    'usage',
    `cannot filter by ${path}: it is not in a cgroup v2 hierarchy; use a directory below the cgroup2 mount (see \`findmnt -t cgroup2\`)`,
  )
}
