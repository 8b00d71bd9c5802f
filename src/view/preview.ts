/**
 * What a large page shows before its worker has unpacked the profile: the very answers that the worker will give to the first
 * questions, computed where the page is written.
 */
import type { Profile } from '../model/profile.ts'
import { Engine } from './engine.ts'
import type { Listed, Opened, Shown } from './protocol.ts'
import { INITIAL_STATE } from './state.ts'

/** The first answers of a page's worker. */
export interface Preview {
  readonly opened: Opened
  readonly shown: Shown
  /** Without the functions that are drawn: nobody points at one so soon. */
  readonly listed: Listed
}

/** Smaller profiles are unpacked before anybody could look. */
const LARGE_STACKS = 20_000
/** Width of the graph on a usual screen; a page of another width draws the same frames, wider or narrower. */
const WIDTH_PX = 1030
/** As many as such a screen holds. */
const TABLE_ROWS = 30

/** The preview of a large profile, null for others. */
export function previewOf(profile: Profile): Preview | null {
  if (profile.stacks.parent.length < LARGE_STACKS) return null
  const engine = new Engine()
  const opened = engine.open(profile, '')
  const shown = engine.show(INITIAL_STATE, WIDTH_PX)
  const { table } = engine.list(TABLE_ROWS)
  // Fewer rows than the worker's first table, so not the same one.
  return { opened, shown, listed: { functions: [], table: { ...table, revision: 0 } } }
}
