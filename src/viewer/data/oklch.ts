/** Colours for files: style sheets have oklch(), most programs that open an SVG do not. */

/**
 * `#rrggbb` of lightness 0..1, chroma and hue in degrees, clipped to what a screen shows.
 * The matrices are those of https://bottosson.github.io/posts/oklab/.
 */
export function oklchHex(lightness: number, chroma: number, hue: number): string {
  const angle = (hue * Math.PI) / 180
  const [a, b] = [chroma * Math.cos(angle), chroma * Math.sin(angle)]
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return hexOf([
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ])
}

/** Between two `#rrggbb`, `part` 0..1 of the way to the second. */
export function mixed(from: string, to: string, part: number): string {
  const channels = [1, 3, 5].map((at) => {
    const [a, b] = [from, to].map((colour) => Number.parseInt(colour.slice(at, at + 2), 16))
    return Math.round(a! + (b! - a!) * part)
  })
  return `#${channels.map(hexByte).join('')}`
}

function hexOf(linear: readonly number[]): string {
  const bytes = linear.map((value) => {
    const clipped = Math.max(0, Math.min(1, value))
    const gamma = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055
    return hexByte(Math.round(gamma * 255))
  })
  return `#${bytes.join('')}`
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0')
}
