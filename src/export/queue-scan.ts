/** What an earlier run left in the directory: its segments, counted, and the places of its destinations. */
import { join } from 'node:path'
import { cursorName, isBefore, isCursorName, type Position, readCursor } from './cursor-file.ts'
import type { QueueFiles } from './queue-files.ts'
import { type ScanResult, scanSegment } from './scan-segment.ts'
import { Segment, segmentId } from './segment.ts'

/** What of a segment is before a place in it. */
export interface Passed {
  readonly samples: number
  readonly records: number
  readonly bytes: number
}

export const NOTHING_PASSED: Passed = { samples: 0, records: 0, bytes: 0 }

/** A destination's place, made sure to be the start of a record, and what of its segment is behind it. */
export interface Place {
  readonly at: Position
  readonly passed: Passed
}

export interface FoundQueue {
  /** By id; all sealed. */
  readonly segments: readonly Segment[]
  readonly places: ReadonlyMap<string, Place>
  /** Paths of the cursors of destinations no longer configured. */
  readonly staleCursors: readonly string[]
  /** Above every id that was ever used. */
  readonly lastId: number
}

/**
 * Counts the queue in `directory` for `destinations`. One without a cursor starts where the least advanced cursor of a
 * former destination is: what was not delivered under the old name is delivered under the new one, and what was is not
 * repeated. Without one it starts at the oldest: it may never have delivered anything, which the others' places say not.
 * Errors: of the file system, when the directory cannot be listed.
 */
export async function findQueue(
  directory: string,
  destinations: readonly string[],
  files: QueueFiles,
  onScanned: (result: ScanResult) => void,
): Promise<FoundQueue> {
  const names = await files.readdir(directory)
  const ids = names.map(segmentId).filter((id) => id !== null)
  const cursors = await readCursors(directory, names, files)
  const marks = new Map<string, Passed>()
  const wanted = new Set([...cursors.values()].map(markOf))
  const segments: Segment[] = []
  for (const id of ids.sort((a, b) => a - b)) {
    const segment = new Segment(directory, id, 'file', files)
    const mark = (offset: number) => {
      const key = markOf({ segment: id, offset })
      if (wanted.has(key)) marks.set(key, passedOf(segment))
    }
    onScanned(await scanSegment(segment, files, mark))
    mark(segment.bytes)
    segments.push(segment)
  }
  const own = new Set(destinations.map(cursorName))
  const former = [...cursors].filter(([file]) => !own.has(file)).map(([, at]) => at)
  const oldest = former.reduce<Position | null>(
    (least, one) => (least === null || isBefore(one, least) ? one : least),
    null,
  )
  const places = destinations.map((name): [string, Place] => {
    const at = cursors.get(cursorName(name)) ?? oldest ?? { segment: 0, offset: 0 }
    const passed = marks.get(markOf(at))
    const isGone = !ids.includes(at.segment)
    return [name, { at: passed || isGone ? at : { ...at, offset: 0 }, passed: passed ?? NOTHING_PASSED }]
  })
  return {
    segments,
    places: new Map(places),
    staleCursors: names
      .filter((name) => isCursorName(name) && !own.has(name))
      .map((name) => join(directory, name)),
    lastId: Math.max(0, ...ids, ...[...cursors.values()].map((at) => at.segment)),
  }
}

export const passedOf = ({ samples, records, bytes }: Segment): Passed => ({ samples, records, bytes })

const markOf = ({ segment, offset }: Position) => `${segment}:${offset}`

/** By file name. A damaged cursor counts as none. */
async function readCursors(directory: string, names: readonly string[], files: QueueFiles) {
  const cursors = new Map<string, Position>()
  for (const name of names.filter(isCursorName)) {
    const at = await readCursor(join(directory, name), files)
    if (at !== null && Number.isSafeInteger(at.segment) && at.segment >= 0) cursors.set(name, at)
  }
  return cursors
}
