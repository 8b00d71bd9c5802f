/**
 * Files kept open over many windows: what is sampled again and again is opened and identified once. A file stays open
 * while a window needs it and a while after; never more than a fixed number of them.
 */
import { closeSync } from 'node:fs'
import type { Executable, UnnamedReason } from '../model/executable.ts'
import type { FileHolder } from './executable-table.ts'

export interface HeldFilesLimits {
  /** Open descriptors. */
  readonly files: number
  /** How long one stays open that no window needs. */
  readonly unusedMs: number
}

const LIMITS: HeldFilesLimits = { files: 1024, unusedMs: 60_000 }

interface Held {
  readonly key: string
  readonly executable: Executable
  /** Windows that need it. */
  users: number
  freeSinceMs: number
}

export class HeldFiles implements FileHolder {
  readonly #limits: HeldFilesLimits
  readonly #nowMs: () => number
  readonly #byKey = new Map<string, Held>()
  readonly #byExecutable = new Map<Executable, Held>()
  /** Files that were not kept open, for want of descriptors. */
  refused = 0

  constructor(limits: Partial<HeldFilesLimits> = {}, nowMs: () => number = () => performance.now()) {
    this.#limits = { ...LIMITS, ...limits }
    this.#nowMs = nowMs
  }

  /** Descriptors open now. */
  get size(): number {
    return this.#byExecutable.size
  }

  hold(key: string, open: () => Executable): Executable {
    const held = key === '' ? undefined : this.#byKey.get(key)
    if (held) {
      held.users++
      return held.executable
    }
    const executable = open()
    if (executable.fd < 0) return executable // tried again in the next window
    if (!this.#makeRoom()) return this.#refuse(executable)
    const added = { key, executable, users: 1, freeSinceMs: 0 }
    this.#byExecutable.set(executable, added)
    if (key !== '') this.#byKey.set(key, added)
    return executable
  }

  release(executable: Executable): void {
    const held = this.#byExecutable.get(executable)
    if (!held || held.users === 0 || --held.users > 0) return
    held.freeSinceMs = this.#nowMs()
    if (held.key === '') this.#close(held)
  }

  /** Closes what no window has needed for a while. */
  sweep(): void {
    const beforeMs = this.#nowMs() - this.#limits.unusedMs
    for (const held of this.#byExecutable.values())
      if (held.users === 0 && held.freeSinceMs <= beforeMs) this.#close(held)
  }

  /** Closes all. Safe to call twice. */
  close(): void {
    for (const held of this.#byExecutable.values()) this.#close(held)
  }

  #makeRoom(): boolean {
    if (this.#byExecutable.size < this.#limits.files) return true
    let oldest: Held | undefined
    for (const held of this.#byExecutable.values())
      if (held.users === 0 && !(oldest && oldest.freeSinceMs <= held.freeSinceMs)) oldest = held
    if (oldest) this.#close(oldest)
    return oldest !== undefined
  }

  #refuse(executable: Executable): Executable {
    closeSync(executable.fd)
    this.refused++
    return { ...executable, fd: -1, goneReason: 'too_many_files' satisfies UnnamedReason }
  }

  #close(held: Held): void {
    closeSync(held.executable.fd)
    this.#byExecutable.delete(held.executable)
    this.#byKey.delete(held.key)
  }
}
