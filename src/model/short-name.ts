/**
 * What fits on a frame: a C++ or Rust name without what only tells overloads apart. The full name stays in the profile,
 * in the detail strip and in every file.
 *
 * `bool ns::Parser<unsigned char>::Parse<int>(ns::Isolate*, int) const` -> `ns::Parser<unsigned char>::Parse<int>`
 */

const OPENING = '(<[{'
const CLOSING = ')>]}'
/** What may follow the parameter list of a C++ function. */
const TAIL = /^( const| volatile| &{1,2}| noexcept)*(( \[clone [^\]]*\])*)$/

/** The folders of the script in a name of V8's or Python's: `JS:*fib /srv/app.js:7:13`, `py::fib:/srv/app.py`. */
const FOLDERS = /^((?:JS|LazyCompile|Function|Eval|Script):[^/]* |py::[^:]*:)(?:file:\/\/)?\/(?:[^/]*\/)*/

/**
 * The name without return type, parameters, and the folders of a script; names of other shapes ('main.(*T).Run') are
 * returned as they are.
 */
export function shortName(name: string): string {
  if (/^(?:JS|LazyCompile|Function|Eval|Script|py:):/.test(name)) return name.replace(FOLDERS, '$1')
  if (!name.includes('(') || name.includes('operator')) return name
  const open = parameterListStart(name)
  if (open <= 0) return name
  const clone = TAIL.exec(name.slice(matching(name, open) + 1))?.[2] ?? ''
  const qualified = name.slice(0, open)
  return qualified.slice(returnTypeEnd(qualified)) + clone
}

/** A part of a package of Java or Go (`java/`, `github.com/`) from its start on. */
const PACKAGE_PART = /[\w.$~-]{1,200}\//y

/**
 * The short name in about `width` characters: leading namespaces and packages go first, because the end of a name says more
 * than its start (`…JsonParser<unsigned char>::Parse`, `…Arrays.sort`). What is left may still be longer; the caller cuts it.
 */
export function narrowName(name: string, width: number): string {
  const short = shortName(name)
  let start = 0
  while (short.length - start > width) {
    const next = nextPackage(short, start) ?? nextScope(short, start)
    if (next < 0) break
    start = next
  }
  return start === 0 ? short : `…${short.slice(start)}`
}

function nextPackage(name: string, from: number): number | null {
  PACKAGE_PART.lastIndex = from
  return PACKAGE_PART.test(name) ? PACKAGE_PART.lastIndex : null
}

/** Where the scope that begins at `from` ends behind its '::', outside of all brackets; -1 at the last one. */
function nextScope(name: string, from: number): number {
  let depth = 0
  for (let i = from; i < name.length - 2; i++) {
    if (OPENING.includes(name[i]!)) depth++
    else if (CLOSING.includes(name[i]!) && !isArrow(name, i)) depth--
    else if (depth === 0 && name[i] === ':' && name[i + 1] === ':') return i + 2
  }
  return -1
}

/** Index of the '(' of the last parameter list that only a tail follows, -1 when there is none. */
function parameterListStart(name: string): number {
  const close = name.lastIndexOf(')')
  if (close < 0 || !TAIL.test(name.slice(close + 1))) return -1
  let depth = 0
  for (let i = close; i >= 0; i--) {
    if (CLOSING.includes(name[i]!) && !isArrow(name, i)) depth++
    else if (OPENING.includes(name[i]!) && --depth === 0)
      return name[i] === '(' && isNameEnd(name[i - 1]) ? i : -1
  }
  return -1
}

function matching(name: string, open: number): number {
  let depth = 0
  for (let i = open; i < name.length; i++) {
    if (OPENING.includes(name[i]!)) depth++
    else if (CLOSING.includes(name[i]!) && !isArrow(name, i) && --depth === 0) return i
  }
  return name.length
}

/** `->` closes nothing. */
function isArrow(name: string, i: number): boolean {
  return name[i] === '>' && name[i - 1] === '-'
}

/** A parameter list follows an identifier or template arguments; '.(*T)' of Go follows a dot. */
function isNameEnd(before: string | undefined): boolean {
  return before !== undefined && /[\w$>\]}~]/.test(before)
}

/** Where the name begins behind a return type: after the last space outside of all brackets. */
function returnTypeEnd(qualified: string): number {
  let depth = 0
  for (let i = qualified.length - 1; i >= 0; i--) {
    if (CLOSING.includes(qualified[i]!) && !isArrow(qualified, i)) depth++
    else if (OPENING.includes(qualified[i]!)) depth--
    else if (qualified[i] === ' ' && depth === 0) return i + 1
  }
  return 0
}
