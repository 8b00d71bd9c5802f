/** How fast a profile was sampled, for a line of its facts. */
import type { CaptureReport } from './profile.ts'

/** '19 Hz'; where targets had rates of their own '19 to 97 Hz'. */
export function ratesText({ rateHz, rates }: Pick<CaptureReport, 'rateHz' | 'rates'>): string {
  // Of a rate of 0 there are no samples.
  const used = (rates ?? []).map((rate) => rate.rateHz).filter((rate) => rate > 0)
  const ends = [Math.min(rateHz, ...used), Math.max(rateHz, ...used)].map((rate) =>
    String(Number(rate.toPrecision(4))),
  )
  return ends[0] === ends[1] ? `${ends[0]} Hz` : `${ends[0]} to ${ends[1]} Hz`
}
