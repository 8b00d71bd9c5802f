/** What a text becomes as UTF-8, told before it is written: two texts that would be the same bytes are one then. */

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** The text with each lone surrogate (half a character, which UTF-8 cannot hold) replaced by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd')
}
