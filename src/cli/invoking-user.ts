/** Under sudo, the user who typed the command: files become theirs, and commands and the browser run as them. */
import { readFileSync } from 'node:fs'

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface InvokingUser {
  readonly uid: number
  readonly gid: number
  /** '' when sudo did not say. */
  readonly name: string
  /** Home directory, '' when the user is not in the password file. */
  readonly home: string
}

/** null when we are not root, or root came without sudo (or by root's own sudo). */
export function invokingUser(uid: number, env: Environment, passwd = readPasswd): InvokingUser | null {
  const [sudoUid, sudoGid] = [env.SUDO_UID ?? '', env.SUDO_GID ?? '']
  if (uid !== 0 || !/^\d{1,10}$/.test(sudoUid) || !/^\d{1,10}$/.test(sudoGid) || Number(sudoUid) === 0)
    return null
  const row = passwd().find((fields) => fields[2] === String(Number(sudoUid)))
  return {
    uid: Number(sudoUid),
    gid: Number(sudoGid),
    name: row?.[0] ?? env.SUDO_USER ?? '',
    home: row?.[5] ?? '',
  }
}

/**
 * The environment a program of that user expects. sudo sets HOME, USER and LOGNAME to root's, where the user's
 * program could write nothing; everything else stays as sudo left it.
 */
export function environmentOf(user: InvokingUser | null, env: Environment): Environment {
  if (!user || user.name === '' || env.USER !== 'root') return env
  return { ...env, USER: user.name, LOGNAME: user.name, ...(user.home === '' ? {} : { HOME: user.home }) }
}

function readPasswd(): string[][] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}
