/** The files that processes map: one object for each, however many map it, so that what is known of one is found by it. */

export interface MappedFile {
  /** As the process saw it, without " (deleted)"; '' for anonymous memory. */
  readonly path: string
  /** Hex, '' when the kernel did not say. */
  readonly buildId: string
  /** 0 when the kernel did not say; `device` makes it unique. */
  readonly inode: number
  readonly device: string
}

/** Whether it is the same content wherever it is mapped; of another we only know what it is called. */
export function isLasting({ buildId, inode }: MappedFile): boolean {
  return buildId !== '' || inode > 0
}

/** Past it all are forgotten: one that is met again is a new object then, and is looked at once more. */
const PATHS_MAX = 16_384
/** Of one path: a program that was built again, memory without a name of its own. */
const FILES_OF_PATH_MAX = 64

export class MappedFiles {
  readonly #byPath = new Map<string, MappedFile[]>()

  of(path: string, buildId: string, inode: number, device: string): MappedFile {
    const files = this.#ofPath(path)
    // From the end: what is mapped now is mostly what was mapped lately.
    for (let i = files.length - 1; i >= 0; i--) {
      const file = files[i]!
      if (file.buildId === buildId && file.inode === inode && file.device === device) return file
    }
    if (files.length >= FILES_OF_PATH_MAX) files.shift()
    const file = {
      path: files[0]?.path ?? copyOf(path),
      buildId: copyOf(buildId),
      inode,
      device: copyOf(device),
    }
    files.push(file)
    return file
  }

  #ofPath(path: string): MappedFile[] {
    const known = this.#byPath.get(path)
    if (known) return known
    if (this.#byPath.size >= PATHS_MAX) this.#byPath.clear()
    const files: MappedFile[] = []
    this.#byPath.set(copyOf(path), files)
    return files
  }
}

/** A part of a text keeps the whole text in memory. */
function copyOf(text: string): string {
  return text === '' ? text : Buffer.from(text).toString()
}
