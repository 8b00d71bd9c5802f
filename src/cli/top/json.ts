/** A window of `profile top --json`: one object on one line. Counts are samples. */
import type { Profile } from '../../model/profile.ts'
import type { TopData } from './history.ts'

export const TOP_SCHEMA = 'emberscope.top/1'
const MAX_FUNCTIONS = 50

/** Keys in snake_case as in every JSON of ours. */
export function topJson(data: TopData, profile: Profile): object {
  const { rows, samples, seconds, capture } = data
  const rateHz = capture?.rateHz ?? 0
  return {
    schema: TOP_SCHEMA,
    time: new Date(Number(profile.timeNs / 1_000_000n)).toISOString(),
    duration_ns: Number(profile.durationNs),
    rate_hz: rateHz,
    samples,
    cores: rateHz > 0 && seconds > 0 ? samples / rateHz / seconds : 0,
    dropped: capture?.samples.dropped ?? {},
    functions: rows.slice(0, MAX_FUNCTIONS).map(({ name, file, self, total, process }) => {
      return { name, file, self, total, process }
    }),
  }
}
