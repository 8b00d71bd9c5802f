/** Elements of an SVG document as text: everything that comes from a profile is escaped here. */

/** One element; `content` is markup already. Ends with a line feed where it stands for itself. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content = '',
): string {
  const all = Object.entries(attributes).map(([key, value]) => attribute(key, value))
  return content === '' ? `<${name}${all.join('')}/>\n` : `<${name}${all.join('')}>${content}</${name}>\n`
}

/** XML has no place for control characters, and none for halves of characters. */
export function text(value: string): string {
  return value
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"']/g, (char: string) => `&#${char.charCodeAt(0)};`)
}

/** Patterns by what they mean, laid over the colour of a frame. */
export const PATTERNS = `<defs>
<pattern id="kernel" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="6" fill="#1d1b18" fill-opacity="0.14"/></pattern>
<pattern id="jit" width="5" height="5" patternUnits="userSpaceOnUse"><circle cx="2.5" cy="2.5" r="1" fill="#1d1b18" fill-opacity="0.2"/></pattern>
<pattern id="inlined" width="8" height="20" patternUnits="userSpaceOnUse"><rect y="6" width="4" height="1" fill="#6b655c"/></pattern>
<pattern id="box" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect width="1.5" height="5" fill="#1d1b18" fill-opacity="0.16"/></pattern>
</defs>
`

function attribute(name: string, value: string | number): string {
  return ` ${name}="${text(String(value))}"`
}
