/**
 * Tells when the configuration file has changed, however that was done: written in place, replaced, or, as Kubernetes does
 * with a ConfigMap, by a symbolic link further up that now leads elsewhere. The directory is watched, since a watched file
 * is lost with its inode; and the file is looked at now and then, since a link further up is in no watched directory.
 */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname } from 'node:path'

/** One save of an editor is several events. */
const SETTLE_MS = 200
const POLL_MS = 10_000

export class ConfigWatch {
  readonly #path: string
  readonly #onChange: () => void
  readonly #poll: NodeJS.Timeout
  #watcher: FSWatcher | null = null
  #settling: NodeJS.Timeout | undefined
  #seen: string

  constructor(path: string, onChange: () => void, pollMs = POLL_MS) {
    this.#path = path
    this.#onChange = onChange
    this.#seen = stampOf(path)
    this.#watch()
    this.#poll = setInterval(() => this.#look(), pollMs).unref()
  }

  /** Somebody reads the file now, for a reason of his own: what it holds is no news any more. */
  noteRead(): void {
    this.#seen = stampOf(this.#path)
  }

  /** Safe twice. */
  close(): void {
    clearInterval(this.#poll)
    clearTimeout(this.#settling)
    this.#watcher?.close()
    this.#watcher = null
  }

  #watch(): void {
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, () => this.#soon())
      // No more watches, or the directory went away: the poll goes on.
      this.#watcher.on('error', () => this.#watcher?.close())
    } catch {
      this.#watcher = null
    }
  }

  #soon(): void {
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.#look(), SETTLE_MS)
    this.#settling.unref()
  }

  #look(): void {
    const stamp = stampOf(this.#path)
    if (stamp === this.#seen) return
    this.#seen = stamp
    // Between the two steps of a replacement there is no file; the next look finds the new one.
    if (stamp !== '') this.#onChange()
  }
}

/** Which file it is and when it was written; '' when there is none. */
function stampOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true })
    return `${dev}:${ino}:${size}:${mtimeNs}`
  } catch {
    return ''
  }
}
