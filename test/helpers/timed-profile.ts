/** A profile with a time for each sample and threads to stack them by: four calm seconds, one in which a parser runs wild. */
import type { Profile } from '../../src/model/profile.ts'
import { HEALTHY_CAPTURE, profileOf, randomNumbers } from './sample-profile.ts'

const CALM = [
  { frames: ['main|/bin/app', 'serve|/bin/app', 'render|/bin/app'], thread: 'main', share: 0.5 },
  { frames: ['main|/bin/app', 'serve|/bin/app', 'write|/lib/libc.so.6'], thread: 'main', share: 0.3 },
  { frames: ['start_thread|/lib/libc.so.6', 'mark|/bin/app'], thread: 'GC', share: 0.2 },
] as const
const WILD = {
  frames: ['main|/bin/app', 'serve|/bin/app', 'parse|/bin/app', 'scan|/bin/app'],
  thread: 'main',
} as const

/** The wild second, in nanoseconds from the start. */
export const WILD_RANGE = { fromNs: 3e9, toNs: 4e9 } as const

function pick(chance: number): (typeof CALM)[number] {
  let left = chance
  for (const calm of CALM) {
    left -= calm.share
    if (left < 0) return calm
  }
  return CALM[0]
}

/** 200 samples a second; in the fourth one 300 more, all in `scan`. */
export function timedProfile(seconds = 5): Profile {
  const random = randomNumbers(5)
  const samples: { stack: readonly string[]; thread: string; timeNs: number }[] = []
  for (let i = 0; i < 200 * seconds; i++) {
    const calm = pick(random())
    samples.push({ stack: calm.frames, thread: calm.thread, timeNs: i * 5e6 + random() * 1e6 })
  }
  for (let i = 0; i < 300; i++)
    samples.push({ stack: WILD.frames, thread: WILD.thread, timeNs: WILD_RANGE.fromNs + i * 3.3e6 })
  samples.sort((a, b) => a.timeNs - b.timeNs)
  const base = profileOf(
    samples.map(({ stack }) => ({ frames: stack, count: 1 })),
    { ...HEALTHY_CAPTURE, durationNs: seconds * 1e9 },
  )
  const threads = ['main', 'GC']
  return {
    ...base,
    durationNs: BigInt(seconds) * 1_000_000_000n,
    labelSets: threads.map((str) => [{ key: 'thread', str }]),
    samples: {
      ...base.samples,
      labelSet: Int32Array.from(samples, ({ thread }) => threads.indexOf(thread)),
      timeNs: Float64Array.from(samples, ({ timeNs }) => timeNs),
    },
  }
}
