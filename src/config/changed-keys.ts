/** What a reload changes. */
import type { LoadedConfig } from './load.ts'
import { KEYS, type KeySpec } from './schema.ts'

/** The keys whose values differ, in the order of the table. */
export function changedKeys(before: LoadedConfig, after: LoadedConfig): readonly KeySpec[] {
  const text = (loaded: LoadedConfig, path: string): string => JSON.stringify(loaded.values.get(path))
  const changed = KEYS.filter(({ path }) => text(before, path) !== text(after, path))
  const sameDestinations =
    JSON.stringify(before.config.destinations) === JSON.stringify(after.config.destinations)
  // A change of exporter.* that a list hides changes nothing.
  return changed.filter((key) => !(sameDestinations && isDestinationKey(key)))
}

function isDestinationKey({ path }: KeySpec): boolean {
  return path === 'destinations' || path.startsWith('exporter.')
}
