/**
 * Colours of frames as classes, one a degree of hue. A property of its own on every frame would do with one rule, but the browser
 * then has to work the style of each frame out by itself; frames of one class share it.
 */

/** The class of a hue in degrees. */
export function hueClass(hue: number): string {
  return `h${Math.round(hue) % 360}`
}

/** Makes the classes known to the document; once. */
export function addHueClasses(): void {
  if (isAdded) return
  isAdded = true
  const sheet = new CSSStyleSheet()
  const rules = Array.from({ length: 360 }, (_, hue) => {
    const fill = `light-dark(oklch(0.865 0.072 ${hue}), oklch(0.42 0.07 ${hue}))`
    return `.h${hue}{fill:${fill}}`
  })
  sheet.replaceSync(rules.join(''))
  document.adoptedStyleSheets.push(sheet)
}

let isAdded = false
