/**
 * Which process showed which file where, and when. Fed by /proc for what ran before us and by the kernel's side-band for
 * everything since; keeps exited processes, because their samples are named after they are gone.
 */
import type { EventBatch } from '../native/sample-batch.ts'
import type { Mapping, Owner } from './executable-table.ts'
import { readComm, readMaps, readStat, withoutDeletedMark } from './proc-files.ts'

interface TimedMapping extends Mapping {
  readonly sinceNs: number
}

/** One program in one process: a fork copies it, an exec begins a new one under the same pid. */
interface Image {
  readonly pid: number
  readonly parent: number
  readonly sinceNs: number
  comm: string
  /** Newest last; a later mapping hides earlier ones it overlaps. */
  mappings: TimedMapping[]
  /** `mappings` is another image's too, since a fork: copied before it changes (it may have 60 000 entries). */
  isShared: boolean
  /** What an exec replaced, else null: until execve returns, a sample shows the addresses of the program before. */
  readonly before: Image | null
}

/** An execve is over by then; later, an address of the program before is nonsense. */
const EXEC_NS_MAX = 100e6

const ALONE = { isShared: false, before: null } as const

export class ProcessTable {
  /** Images by pid, oldest first. */
  readonly #images = new Map<number, Image[]>()
  /** When a mapping took the place of another one, by pid: dlclose() and the next dlopen(), mostly. */
  readonly #replacedNs = new Map<number, number[]>()
  readonly #eventKinds: readonly string[]
  /** Side-band records the kernel could not deliver: mappings may be missing. */
  lostEvents = 0

  /** `eventKinds`: AbiNames.eventKinds. */
  constructor(eventKinds: readonly string[]) {
    this.#eventKinds = eventKinds
  }

  /** Reads a live process from /proc, unless it is known. False when it is gone or may not be read. */
  snapshot(pid: number): boolean {
    if (this.#images.has(pid)) return true
    const entries = readMaps(pid)
    if (!entries) return false
    const mappings = entries.map((entry) => ({ ...entry, buildId: '', sinceNs: 0 }))
    const parent = readStat(pid)?.parent ?? 0
    this.#images.set(pid, [{ pid, parent, sinceNs: 0, comm: readComm(pid), mappings, ...ALONE }])
    return true
  }

  /** Applies a batch of side-band events, which is sorted by time. */
  apply(events: EventBatch): void {
    for (let i = 0; i < events.kind.length; i++) this.#applyOne(events, i)
  }

  #applyOne(events: EventBatch, i: number): void {
    const pid = events.pid[i]!
    const timeNs = events.timeNs[i]!
    switch (this.#eventKinds[events.kind[i]!]) {
      case 'fork':
        if (events.extra[i] !== pid) this.#fork(events.extra[i]!, pid, timeNs)
        return
      case 'exec':
        this.#append(pid, {
          pid,
          parent: this.#parentOf(pid),
          sinceNs: timeNs,
          comm: events.name[i]!,
          mappings: [],
          isShared: false,
          before: this.#images.get(pid)?.at(-1) ?? null,
        })
        return
      case 'comm': {
        const image = this.#images.get(pid)?.at(-1)
        if (image && events.tid[i] === pid) image.comm = events.name[i]!
        return
      }
      case 'mmap':
        this.#mmap(events, i)
        return
      case 'lost':
        this.lostEvents += events.extra[i]!
        return
    }
  }

  #fork(parent: number, pid: number, timeNs: number): void {
    if (!this.#images.has(parent)) this.snapshot(parent)
    const origin = this.#images.get(parent)?.at(-1)
    if (origin) {
      origin.isShared = true
      this.#append(pid, { ...origin, pid, parent, sinceNs: timeNs, before: null })
    }
    // Of an unknown parent: what an earlier process of this pid had mapped is not the child's.
    else if (this.#images.has(pid))
      this.#append(pid, { pid, parent, sinceNs: timeNs, comm: '', mappings: [], ...ALONE })
  }

  #mmap(events: EventBatch, i: number): void {
    const pid = events.pid[i]!
    // A process from before us, seen first by an mmap: what it had mapped already is in /proc, this mapping too.
    if (!this.#images.has(pid) && this.snapshot(pid)) return
    const mapping = {
      start: events.start[i]!,
      end: events.end[i]!,
      fileOffset: events.fileOffset[i]!,
      path: withoutDeletedMark(events.name[i]!),
      buildId: events.buildId[i]!,
      inode: 0,
      device: '',
      sinceNs: events.timeNs[i]!,
    }
    const image = this.#images.get(pid)?.at(-1)
    const hidden = image?.mappings.findLast((m) => m.start < mapping.end && mapping.start < m.end)
    if (hidden) {
      // A JIT that switches its memory between writing and running says so each time: nothing new.
      if (isSame(hidden, mapping)) return
      this.#noteReplaced(pid, hidden, mapping)
    }
    if (!image) this.#append(pid, { pid, parent: 0, sinceNs: 0, comm: '', mappings: [mapping], ...ALONE })
    else if (image.isShared) {
      image.mappings = [...image.mappings, mapping]
      image.isShared = false
    } else image.mappings.push(mapping)
  }

  #noteReplaced(pid: number, hidden: Mapping, mapping: TimedMapping): void {
    if (isAnonymous(hidden.path) && isAnonymous(mapping.path)) return // run-time code is known by its address alone
    const times = this.#replacedNs.get(pid)
    if (times) times.push(mapping.sinceNs)
    else this.#replacedNs.set(pid, [mapping.sinceNs])
  }

  /** Whether an address of the process may have changed its meaning between two times, in either order. */
  isReplaced(pid: number, oneNs: number, otherNs: number): boolean {
    const times = this.#replacedNs.get(pid) ?? []
    const [fromNs, toNs] = oneNs < otherNs ? [oneNs, otherNs] : [otherNs, oneNs]
    // From the end: samples are of late.
    for (let i = times.length - 1; i >= 0 && times[i]! > fromNs; i--) if (times[i]! <= toNs) return true
    return false
  }

  #append(pid: number, image: Image): void {
    const images = this.#images.get(pid)
    if (images) images.push(image)
    else this.#images.set(pid, [image])
  }

  #parentOf(pid: number): number {
    return this.#images.get(pid)?.at(-1)?.parent ?? readStat(pid)?.parent ?? 0
  }

  /** The program that ran under the pid at that time; a live process not met before is read now. */
  #imageAt(pid: number, timeNs: number): Image | undefined {
    if (!this.#images.has(pid)) this.snapshot(pid)
    const images = this.#images.get(pid)
    return images?.findLast((image) => image.sinceNs <= timeNs) ?? images?.[0]
  }

  /** The mapping that covered a user address at that time, newest first; null when none did. */
  findMapping(pid: number, timeNs: number, address: number): Mapping | null {
    const image = this.#imageAt(pid, timeNs)
    const covers = (mapping: Mapping): boolean => address >= mapping.start && address < mapping.end
    return (
      image?.mappings.findLast((m) => covers(m) && m.sinceNs <= timeNs) ??
      image?.mappings.findLast(covers) ??
      (image && timeNs - image.sinceNs < EXEC_NS_MAX ? image.before?.mappings.findLast(covers) : null) ??
      null
    )
  }

  /** The process for opening files and for labels. */
  owner(pid: number, timeNs: number): Owner {
    const image = this.#imageAt(pid, timeNs)
    return { pid, parent: image?.parent ?? 0, comm: image?.comm ?? '' }
  }
}

/** Whether both show the same bytes at the same place; without a build id a file may be another of the same path. */
function isSame(a: Mapping, b: Mapping): boolean {
  const isSamePlace = a.start === b.start && a.end === b.end && a.fileOffset === b.fileOffset
  return (
    isSamePlace && a.path === b.path && a.buildId === b.buildId && (a.buildId !== '' || isAnonymous(a.path))
  )
}

function isAnonymous(path: string): boolean {
  return path === '' || path.startsWith('//anon') || path.startsWith('[')
}
