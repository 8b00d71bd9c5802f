/** The keys as the help lists them. Small letters look and move, capital letters filter. */

/** Keys (apart by blanks) and what they do. */
export const KEY_LIST: readonly (readonly [string, string])[] = [
  ['← → ↑ ↓', 'move between frames and rows (also h j k l)'],
  ['Enter', 'zoom to the frame'],
  ['Esc Backspace', 'one step out; Esc clears the search first'],
  ['0', 'the whole tree'],
  ['/', 'search: text, /regexp/, label:value; Enter twice or Ctrl+Enter filters'],
  ['n N', 'next and previous place found'],
  ['f s i t', 'flame, sandwich of the function, inverted, table'],
  ['o', 'details of the function: callers, callees, source'],
  ['m', 'menu of the frame or row (also right click, long press)'],
  ['H O D', 'hide the function, only stacks through it, drop stacks through it'],
  ['M C', 'merge it into its caller, collapse its library'],
  ['F R', 'show from it on, make it the root'],
  ['u', 'undo (also Back)'],
  ['d', 'compare, and before, diff, after in turn'],
  ['x', 'time as a heatmap, and as strips again'],
  ['y', 'copy the name'],
  ['?', 'this help'],
]

/** More of them on the page of an agent. */
export const LIVE_KEYS: readonly (readonly [string, string])[] = [['Space', 'pause the live page, and go on']]
