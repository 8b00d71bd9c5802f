/** Bytes of a terminal in raw mode as keys. Sequences of ECMA-48 and of xterm; what is unknown is dropped whole. */

/** A character, or one of: up down left right home end page-up page-down enter escape backspace ctrl-c ctrl-z ctrl-l. */
export type Key = string

const SEQUENCES: Readonly<Record<string, Key>> = {
  '[A': 'up',
  '[B': 'down',
  '[C': 'right',
  '[D': 'left',
  OA: 'up',
  OB: 'down',
  OC: 'right',
  OD: 'left',
  '[H': 'home',
  OH: 'home',
  '[1~': 'home',
  '[F': 'end',
  OF: 'end',
  '[4~': 'end',
  '[5~': 'page-up',
  '[6~': 'page-down',
}

const CONTROLS: Readonly<Record<string, Key>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x0c': 'ctrl-l',
  '\x1a': 'ctrl-z',
}

/** An escape with what belongs to it. */
const SEQUENCE = /^\u001b(\[[0-9;?]*[ -/]*[@-~]|O[@-~])/

/** The keys of one read: a sequence comes in one piece, and an escape alone is the key. */
export function keysOf(text: string): Key[] {
  const keys: Key[] = []
  let rest = text
  while (rest !== '') {
    const sequence = SEQUENCE.exec(rest)
    if (sequence !== null) {
      const key = SEQUENCES[sequence[1]!]
      if (key !== undefined) keys.push(key)
      rest = rest.slice(sequence[0].length)
      continue
    }
    const character = String.fromCodePoint(rest.codePointAt(0)!)
    rest = rest.slice(character.length)
    if (character === '\x1b') keys.push('escape')
    else if (character in CONTROLS) keys.push(CONTROLS[character]!)
    else if (!/\p{Cc}/u.test(character)) keys.push(character)
  }
  return keys
}
