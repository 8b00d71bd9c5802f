/** Numbers as the page writes them: one decimal, a narrow space before the unit and between thousands. */

/** Narrow no-break space. */
const NARROW = '\u202f'

/** `31.2 %` of a fraction; what is above nothing but rounds to it reads `< 0.1 %`. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return `0.0${NARROW}%`
  if (share > 0 && share < 0.0005) return `<${NARROW}0.1${NARROW}%`
  return `${(share * 100).toFixed(1)}${NARROW}%`
}

/** `± 1.3`, '' when the error is unknown. Points of percent. */
export function plusMinus(error: number | null): string {
  return error === null ? '' : `±${NARROW}${(error * 100).toFixed(1)}`
}

/** A whole number with its thousands apart. */
export function whole(value: number): string {
  const digits = Math.round(value).toString()
  return digits.length < 4 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, NARROW)
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** A value in its unit, scaled to be read: nanoseconds to seconds, bytes to MB. */
export function quantity(value: number, unit: string): string {
  const seconds = SECONDS[unit]
  if (seconds !== undefined) return duration(value * seconds)
  if (unit === 'bytes') {
    const step = Math.min(BYTE_UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)))
    return `${(value / 1000 ** step).toFixed(step === 0 ? 0 : 1)}${NARROW}${BYTE_UNITS[step]}`
  }
  const text = Number.isInteger(value) || Math.abs(value) >= 1000 ? whole(value) : value.toFixed(1)
  return unit === '' ? text : `${text}${NARROW}${unit}`
}

const SECONDS: Readonly<Record<string, number>> = {
  nanoseconds: 1e-9,
  microseconds: 1e-6,
  milliseconds: 1e-3,
  seconds: 1,
}

/** A length of time in the unit that gives it one to three digits. */
export function duration(seconds: number): string {
  const size = Math.abs(seconds)
  if (size >= 1 || size === 0) return `${withThousands(seconds)}${NARROW}s`
  if (size >= 1e-3) return `${(seconds * 1e3).toFixed(1)}${NARROW}ms`
  return `${(seconds * 1e6).toFixed(1)}${NARROW}µs`
}

function withThousands(value: number): string {
  return value >= 1000 ? whole(value) : value.toFixed(1)
}
