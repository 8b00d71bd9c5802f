/**
 * Root directories of processes, kept open: of a process that has ended, or entered another mount namespace since, the
 * files it saw can still be reached. For --source, which reads them when the capture is over.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import type { Executable } from '../model/executable.ts'
import { readUid } from './proc-files.ts'

/** A root as we reach it ('' for our own), and the user of the process that has it, -1 for nobody we know. */
export interface ProcessRoot {
  readonly path: string
  readonly uid: number
}

/** Roots it may hold, by two descriptors each: as many containers. */
const ROOTS_MAX = 256

export class HeldRoots {
  readonly #held = new Map<string, readonly number[]>()
  readonly #ofExecutable: (ProcessRoot | null)[] = []
  readonly #goneUid: number

  /** `goneUid`: the user of processes that had ended when they were first seen, -1 when that may be anybody. */
  constructor(goneUid: number) {
    this.#goneUid = goneUid
  }

  /** Opens the roots of executables that are new since the last call; the list only grows. Never throws. */
  observe(executables: readonly Executable[]): void {
    for (let i = this.#ofExecutable.length; i < executables.length; i++) {
      const { root, pid } = executables[i]!
      const path = root || (pid > 0 ? `/proc/${pid}/root` : '')
      this.#ofExecutable.push(path === '' ? { path, uid: this.#goneUid } : this.#hold(path))
    }
  }

  #hold(path: string): ProcessRoot | null {
    const directory = path.slice(0, path.lastIndexOf('/'))
    const uid = readUid(Number(directory.slice(directory.lastIndexOf('/') + 1)))
    const opened: number[] = []
    try {
      opened.push(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
      // With its last process and descriptor a namespace ends, and what is mounted below the root with it.
      opened.push(openSync(`${directory}/ns/mnt`, constants.O_RDONLY))
      const [root, namespace] = opened.map((fd) => fstatSync(fd))
      const fd = this.#keep(`${root!.dev} ${root!.ino} ${namespace!.ino}`, opened)
      return fd < 0 ? null : { path: `/proc/self/fd/${fd}`, uid }
    } catch {
      for (const fd of opened) closeSync(fd)
      return null // gone, or not ours to look at: its files are then reported as not there
    }
  }

  /** The descriptor of the root, the same for all processes that see the same; -1 when there are too many. */
  #keep(key: string, opened: readonly number[]): number {
    const known = this.#held.get(key)
    if (known === undefined && this.#held.size < ROOTS_MAX) this.#held.set(key, opened)
    else for (const fd of opened) closeSync(fd)
    return this.#held.get(key)?.[0] ?? -1
  }

  /** Where the files of an executable's process are, by its id; null when its root could not be kept. */
  rootOf(executable: number): ProcessRoot | null {
    return this.#ofExecutable[executable] ?? null
  }

  /** Safe to call twice. */
  close(): void {
    for (const fd of [...this.#held.values()].flat()) closeSync(fd)
    this.#held.clear()
  }
}
