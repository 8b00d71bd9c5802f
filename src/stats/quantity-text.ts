/** Amounts with their units, for people, in plain characters. */

const SECONDS: Readonly<Record<string, number>> = {
  nanoseconds: 1e-9,
  microseconds: 1e-6,
  milliseconds: 1e-3,
  seconds: 1,
}

/** Seconds in a unit of time, as profiles spell them; null for other units. */
export function secondsOf(unit: string): number | null {
  return SECONDS[unit] ?? null
}

/** 3 210 000 000 nanoseconds -> '3.21 s'; bytes in kB of 1000; 'count' has no word: '1 812'. */
export function quantityText(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '?'
  const seconds = secondsOf(unit)
  if (seconds !== null) return stepped(value * seconds, TIME_STEPS, 's')
  if (unit === 'bytes') return stepped(value, BYTE_STEPS, 'B')
  const text = Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ' ')
  return unit === 'count' || unit === '' ? text : `${text} ${unit}`
}

/** Size and word of each step, from the largest; the last one takes what is smaller. */
type Steps = readonly (readonly [size: number, word: string])[]

const TIME_STEPS: Steps = [
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'us'],
]
const BYTE_STEPS: Steps = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
  [1, 'B'],
]

function stepped(value: number, steps: Steps, wordOfZero: string): string {
  if (value === 0) return `0.00 ${wordOfZero}`
  const [size, word] = steps.find(([least]) => Math.abs(value) >= least) ?? steps.at(-1)!
  return `${(value / size).toFixed(2)} ${word}`
}
