/**
 * Which process showed which file where, and when. Fed by /proc for what ran before us and by the kernel's side-band for
 * everything since; keeps exited processes, because their samples are named after they are gone.
 */
import type { EventBatch } from '../native/sample-batch.ts'
import type { Mapping, Owner } from './executable-table.ts'
import { MappedFiles } from './mapped-files.ts'
import { MappingList, type TimedMapping } from './mapping-list.ts'
import { readComm, readMaps, readStat, withoutDeletedMark } from './proc-files.ts'

/** A process at one moment. */
export interface ProcessAt {
  /** For opening files and for labels. */
  readonly owner: Owner
  /** What covered a user address, newest first; null when nothing did. */
  findMapping(address: number): Mapping | null
}

/** One program in one process: a fork copies it, an exec begins a new one under the same pid. */
interface Image {
  owner: Owner
  readonly sinceNs: number
  mappings: MappingList
  /** `mappings` is another image's too, since a fork: copied before it changes (it may have 60 000 entries). */
  isShared: boolean
  /** What an exec replaced, else null: until execve returns, a sample shows the addresses of the program before. */
  before: Image | null
  /** When its process ended, as far as we know; 0 while it lives. */
  endedNs: number
  /** The leader has ended; other threads may go on, and then each one's end may be the process's. */
  isLeaderGone: boolean
  /** It was not among the living. */
  isMissed: boolean
  /** More mappings than this: most of them are gone by now. */
  mappingsMax: number
}

/** An execve is over by then; later, an address of the program before is nonsense. */
const EXEC_NS_MAX = 100e6

const MAPPINGS_MAX = 2048
/** A sample this much later than its process's end shows that the process goes on. */
const ENDING_NS_MAX = 1e9
/** Samples may be this late: parked until a table is loaded. */
const LATE_NS_MAX = 15e9
/** Of a process that maps faster than that, the last ones. */
const LATE_MAPPINGS = 1024

export class ProcessTable {
  /** Images by pid, oldest first. */
  readonly #images = new Map<number, Image[]>()
  /** When a mapping took the place of another one, by pid: dlclose() and the next dlopen(), mostly. */
  readonly #replacedNs = new Map<number, number[]>()
  /** Pids of which something may be forgotten, since when. In the order of time, nearly. */
  readonly #outdated: { readonly pid: number; readonly sinceNs: number }[] = []
  readonly #files = new MappedFiles()
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
    const mappings = this.#readMappings(pid)
    if (!mappings) return false
    const parent = readStat(pid)?.parent ?? 0
    const owner = { pid, parent, comm: readComm(pid) }
    this.#images.set(pid, [newImage(owner, 0, new MappingList(mappings))])
    return true
  }

  /** Processes with something known of them. */
  get size(): number {
    return this.#images.size
  }

  #readMappings(pid: number): TimedMapping[] | null {
    const entries = readMaps(pid)
    if (!entries) return null
    return entries.map(({ start, end, fileOffset, path, inode, device }) => {
      const file = this.#files.of(path, '', inode, device)
      return { start, end, fileOffset, file, sinceNs: 0 }
    })
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
        this.#exec(pid, events.name[i]!, timeNs)
        return
      case 'exit':
        this.#exit(pid, events.tid[i]!, timeNs)
        return
      case 'comm': {
        const image = this.#images.get(pid)?.at(-1)
        if (image && events.tid[i] === pid) image.owner = { ...image.owner, comm: events.name[i]! }
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

  #exec(pid: number, comm: string, timeNs: number): void {
    const before = this.#images.get(pid)?.at(-1) ?? null
    const image = newImage({ pid, parent: this.#parentOf(pid), comm }, timeNs, new MappingList([]))
    image.before = before
    this.#append(pid, image)
  }

  #exit(pid: number, tid: number, timeNs: number): void {
    const image = this.#images.get(pid)?.at(-1)
    if (!image || (tid !== pid && !image.isLeaderGone)) return
    image.isLeaderGone = true
    image.endedNs = timeNs
    this.#outdated.push({ pid, sinceNs: timeNs })
  }

  #fork(parent: number, pid: number, timeNs: number): void {
    if (!this.#images.has(parent)) this.snapshot(parent)
    const origin = this.#images.get(parent)?.at(-1)
    if (origin) {
      origin.isShared = true
      const image = newImage({ pid, parent, comm: origin.owner.comm }, timeNs, origin.mappings)
      image.isShared = true
      image.mappingsMax = origin.mappingsMax
      this.#append(pid, image)
    }
    // Of an unknown parent: what an earlier process of this pid had mapped is not the child's.
    else if (this.#images.has(pid))
      this.#append(pid, newImage({ pid, parent, comm: '' }, timeNs, new MappingList([])))
  }

  #mmap(events: EventBatch, i: number): void {
    const pid = events.pid[i]!
    // A process from before us, seen first by an mmap: what it had mapped already is in /proc, this mapping too.
    if (!this.#images.has(pid) && this.snapshot(pid)) return
    const mapping = {
      start: events.start[i]!,
      end: events.end[i]!,
      fileOffset: events.fileOffset[i]!,
      file: this.#files.of(withoutDeletedMark(events.name[i]!), events.buildId[i]!, 0, ''),
      sinceNs: events.timeNs[i]!,
    }
    const image = this.#images.get(pid)?.at(-1)
    const hidden = image?.mappings.overlapping(mapping.start, mapping.end)
    if (hidden) {
      // A JIT that switches its memory between writing and running says so each time: nothing new.
      if (isSame(hidden, mapping)) return
      this.#noteReplaced(pid, hidden, mapping)
    }
    if (!image) this.#append(pid, newImage({ pid, parent: 0, comm: '' }, 0, new MappingList([mapping])))
    else {
      if (image.isShared) image.mappings = image.mappings.copy()
      image.isShared = false
      image.mappings.push(mapping)
    }
    if (image && image.mappings.length > image.mappingsMax) this.#readAgain(image, mapping.sinceNs)
  }

  /** No event tells of an unmapping: what a runtime mapped and gave back in a day is more than what it has. */
  #readAgain(image: Image, nowNs: number): void {
    const now = this.#readMappings(image.owner.pid)
    const late = image.mappings.newest(LATE_MAPPINGS).filter((m) => m.sinceNs > nowNs - LATE_NS_MAX)
    image.mappings = new MappingList(now ? [...now, ...late] : image.mappings.newest(MAPPINGS_MAX))
    image.mappingsMax = image.mappings.length + MAPPINGS_MAX
  }

  #noteReplaced(pid: number, hidden: Mapping, mapping: TimedMapping): void {
    if (isAnonymous(hidden.file.path) && isAnonymous(mapping.file.path)) return // run-time code is known by its address alone
    const times = this.#replacedNs.get(pid)
    this.#outdated.push({ pid, sinceNs: mapping.sinceNs })
    if (times) times.push(mapping.sinceNs)
    else this.#replacedNs.set(pid, [mapping.sinceNs])
  }

  /** Whether an address of the process may have changed its meaning between two times, in either order. */
  isReplaced(pid: number, oneNs: number, otherNs: number): boolean {
    const times = this.#replacedNs.get(pid)
    if (!times) return false // nearly all
    const [fromNs, toNs] = oneNs < otherNs ? [oneNs, otherNs] : [otherNs, oneNs]
    // From the end: samples are of late.
    for (let i = times.length - 1; i >= 0 && times[i]! > fromNs; i--) if (times[i]! <= toNs) return true
    return false
  }

  #append(pid: number, image: Image): void {
    const images = this.#images.get(pid)
    if (!images) return void this.#images.set(pid, [image])
    images.push(image)
    this.#outdated.push({ pid, sinceNs: image.sinceNs })
  }

  /** Drops what no sample from `beforeNs` on can ask for: processes that had ended, programs that an exec replaced. */
  forget(beforeNs: number): void {
    let done = 0
    for (; done < this.#outdated.length && this.#outdated[done]!.sinceNs < beforeNs; done++)
      this.#forgetOf(this.#outdated[done]!.pid, beforeNs)
    if (done > 0) this.#outdated.splice(0, done)
  }

  /** Drops processes that are not among the living, whose exit nobody told; those that began lately stay. */
  retain(living: ReadonlySet<number>): void {
    if (living.size === 0) return
    for (const [pid, images] of this.#images) {
      const last = images.at(-1)!
      if (last.endedNs > 0) continue
      const isMissed = !living.has(pid)
      // Not at the first time: it may have begun since the living were listed.
      if (isMissed && last.isMissed) this.#images.delete(pid)
      else last.isMissed = isMissed
    }
  }

  #forgetOf(pid: number, beforeNs: number): void {
    const replaced = this.#replacedNs.get(pid)?.filter((timeNs) => timeNs >= beforeNs) ?? []
    if (replaced.length > 0) this.#replacedNs.set(pid, replaced)
    else this.#replacedNs.delete(pid)
    const images = this.#images.get(pid)
    if (!images) return
    const last = images.at(-1)!
    if (last.endedNs > 0 && last.endedNs < beforeNs) return void this.#images.delete(pid)
    images.splice(
      0,
      Math.max(
        0,
        images.findLastIndex(({ sinceNs }) => sinceNs <= beforeNs),
      ),
    )
    if (images[0]!.sinceNs <= beforeNs - EXEC_NS_MAX) images[0]!.before = null
    else if (images[0]!.before) this.#outdated.push({ pid, sinceNs: beforeNs + EXEC_NS_MAX })
  }

  #parentOf(pid: number): number {
    return this.#images.get(pid)?.at(-1)?.owner.parent ?? readStat(pid)?.parent ?? 0
  }

  /** The program that ran under the pid at that time; a live process not met before is read now. */
  #imageAt(pid: number, timeNs: number): Image | undefined {
    if (!this.#images.has(pid)) this.snapshot(pid)
    const images = this.#images.get(pid)
    const image = images?.findLast(({ sinceNs }) => sinceNs <= timeNs) ?? images?.[0]
    if (image && image.endedNs > 0 && timeNs > image.endedNs + ENDING_NS_MAX) image.endedNs = 0
    return image
  }

  /** The process as it was at that time: asked once for all frames of a stack. */
  at(pid: number, timeNs: number): ProcessAt {
    const image = this.#imageAt(pid, timeNs)
    const owner = ownerOf(pid, image)
    if (!image) return { owner, findMapping: () => null }
    const before = timeNs - image.sinceNs < EXEC_NS_MAX ? image.before : null
    const find = image.mappings.finder(timeNs)
    if (!before) return { owner, findMapping: find }
    const findBefore = before.mappings.finder(Number.POSITIVE_INFINITY)
    return { owner, findMapping: (address) => find(address) ?? findBefore(address) }
  }

  /** `at(...).owner` alone, for each sample. */
  owner(pid: number, timeNs: number): Owner {
    return ownerOf(pid, this.#imageAt(pid, timeNs))
  }
}

function ownerOf(pid: number, image: Image | undefined): Owner {
  return image?.owner ?? { pid, parent: 0, comm: '' }
}

/** A program that lives; all of one shape, which costs V8 less to look at. */
function newImage(owner: Owner, sinceNs: number, mappings: MappingList): Image {
  return {
    owner,
    sinceNs,
    mappings,
    isShared: false,
    before: null,
    endedNs: 0,
    isLeaderGone: false,
    isMissed: false,
    mappingsMax: mappings.length + MAPPINGS_MAX,
  }
}

/** Whether both show the same bytes at the same place; without a build id a file may be another of the same path. */
function isSame(a: Mapping, b: Mapping): boolean {
  if (a.start !== b.start || a.end !== b.end || a.fileOffset !== b.fileOffset) return false
  const { path, buildId } = a.file
  return path === b.file.path && buildId === b.file.buildId && (buildId !== '' || isAnonymous(path))
}

function isAnonymous(path: string): boolean {
  return path === '' || path.startsWith('//anon') || path.startsWith('[')
}
