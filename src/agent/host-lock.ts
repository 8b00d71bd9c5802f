/** One agent a host: two would sample twice and send everything twice. The lock lies where commands find the agent. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AgentError } from '../errors.ts'
import { DirectoryLock } from '../export/directory-lock.ts'
import { REAL_FILES } from '../export/queue-files.ts'

/**
 * Takes the lock of the directory, which is made. Errors: AgentError `already_running` that names the other one's pid;
 * of the file system where no lock can be kept.
 */
export async function takeHostLock(directory: string): Promise<{ release(): Promise<void> }> {
  await makeDirectory(directory)
  try {
    return await DirectoryLock.take(directory, REAL_FILES)
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'already_running') throw error
    const who = /\bpid \d+/.exec(error.message)?.[0] ?? 'a process'
    throw new AgentError(
      'already_running',
      `another agent runs on this host: ${who} holds ${directory}; stop it, or give this one a runDir, a queue.dir and a listen of its own`,
      { cause: error },
    )
  }
}

/** With its parents. Not `recursive`: where a parent exists and takes no directory (/proc), Node 20 tries for ever. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectory(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}
