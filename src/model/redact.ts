/**
 * A profile that may be shown to strangers: what tells of a host, a user or a deployment becomes a token, what tells of
 * the program stays.
 *
 * Tokens are drawn at random and not computed: a hash of `/usr/lib/libc.so.6` would be found in a dictionary of common
 * paths, a random token in none. The same text has the same token in one profile, and another one in the next.
 * Hidden: paths (of sources, binaries, and inside the names of run-time code; the extension stays), host names, values
 * of text labels but a thread's own, and the capture's notes where they name a path. Dropped: comments (command lines
 * are there), source text, links. Left: function names, pids, thread names, build ids, the kernel's version.
 */
import type { CaptureReport, Label, Mapping, Profile } from './profile.ts'

/** How much was hidden, each distinct text once. */
export interface Redacted {
  readonly profile: Profile
  readonly paths: number
  readonly hostNames: number
  readonly labelValues: number
  /** Comments, source texts and links. */
  readonly dropped: number
}

/** Text labels whose values stay: they name threads and outcomes of ours, and are needed to read the profile. */
const KEPT_LABELS: ReadonlySet<string> = new Set(['pid', 'tid', 'comm', 'thread', 'cpu', 'stack_end'])

/** Draws a token nobody has: 8 hex digits. */
export type TokenSource = () => string

/** How to redact. */
export interface RedactOptions {
  /** For tests; the default draws from the platform's secure source. */
  readonly draw?: TokenSource
  /** Hosts to hide in names of threads beside the profile's own, which not every format tells. */
  readonly hostNames?: readonly string[]
}

/** The profile without what identifies. */
export function redact(
  profile: Profile,
  { draw = randomToken, hostNames = [] }: RedactOptions = {},
): Redacted {
  const paths = new Tokens(draw)
  const hosts = new Tokens(draw)
  const values = new Tokens(draw)
  const name = (text: string): string => withoutPaths(text, paths)
  const withoutHost = hostHiding([profile.capture?.host.name ?? '', ...hostNames], hosts)
  const { sources, comments, docUrl, dropFrames, keepFrames, capture, ...kept } = profile
  const redacted: Profile = {
    ...kept,
    mappings: profile.mappings.map((mapping) => redactMapping(mapping, paths)),
    functions: profile.functions.map((entry) => ({
      ...entry,
      name: name(entry.name),
      systemName: name(entry.systemName),
      fileName: redactPath(entry.fileName, paths),
    })),
    labelSets: profile.labelSets.map((labels) =>
      labels.map((label) => redactLabel(label, values, (text) => withoutHost(name(text)))),
    ),
    comments: [],
    docUrl: '',
    dropFrames: dropFrames.includes('/') ? '' : dropFrames,
    keepFrames: keepFrames.includes('/') ? '' : keepFrames,
    capture:
      capture &&
      redactCapture(capture, hosts, {
        name: (text) => withoutHost(name(text)),
        note: (text) => withoutHost(sentence(text, paths)),
      }),
  }
  return {
    profile: redacted,
    paths: paths.size,
    hostNames: hosts.size,
    labelValues: values.size,
    dropped: comments.length + (sources?.length ?? 0) + (docUrl === '' ? 0 : 1),
  }
}

/** One line for the user: what is hidden, and what is not. */
export function redactionText({ paths, hostNames, labelValues, dropped }: Redacted): string {
  const hidden = [
    counted(paths, 'path'),
    counted(hostNames, 'host name'),
    counted(labelValues, 'label value'),
  ].filter((part) => part !== '')
  if (dropped > 0)
    hidden.push(`${counted(dropped, 'comment or source text', 'comments and source texts')} (dropped)`)
  const what = hidden.length === 0 ? 'nothing had to be hidden' : `hidden: ${hidden.join(', ')}`
  return `${what}; still there: function names, thread names, pids, build ids, kernel version`
}

function counted(count: number, one: string, many = `${one}s`): string {
  return count === 0 ? '' : `${count} ${count === 1 ? one : many}`
}

/** A token for each distinct text. */
class Tokens {
  readonly #draw: TokenSource
  readonly #known = new Map<string, string>()

  constructor(draw: TokenSource) {
    this.#draw = draw
  }

  get size(): number {
    return this.#known.size
  }

  of(text: string): string {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const token = this.#draw()
    this.#known.set(text, token)
    return token
  }
}

function randomToken(): string {
  return crypto.getRandomValues(new Uint32Array(1))[0]!.toString(16).padStart(8, '0')
}

/** '[vdso]', '[kernel.kallsyms]' and the like are the same on every host. */
const AREA = /^\[[\w.:-]+\]( \[\w+\])?$|^\/\/anon$|^$/

function redactMapping(mapping: Mapping, paths: Tokens): Mapping {
  // What a kind of code is called behind a path is kept with the locations, and written again.
  const buildId = /^[0-9a-fA-F-]*$/.test(mapping.buildId) ? mapping.buildId : paths.of(mapping.buildId)
  return { ...mapping, fileName: redactPath(mapping.fileName.replace(/ \[\w+\]$/, ''), paths), buildId }
}

function redactPath(path: string, paths: Tokens): string {
  return AREA.test(path) ? path : `path-${paths.of(path)}${extensionOf(path)}`
}

/** What many files have at their end, and so names none of them. */
const EXTENSIONS =
  'so|ko|map|js|mjs|cjs|ts|tsx|jsx|mts|cts|c|cc|cpp|cxx|h|hh|hpp|S|s|go|rs|py|pyc|rb|java|kt|scala|php|ex|erl|cs|dll|exe|jar|wasm|json|gz|html|txt|folded|pprof|pb'
/** Of 'libc.so.6' it is '.so'. */
const EXTENSION = new RegExp(`\\.(${EXTENSIONS})(?=$|\\.\\d|\\.gz$)`)

function extensionOf(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1)
  return EXTENSION.exec(base.slice(-TAIL_CHARS))?.[0] ?? ''
}

/**
 * Paths inside a name, which only names of run-time code and of scripts have: `JS:*fn /a/x.js:1:2`,
 * `py::fn:/a/x.py`, `fn (file:///a/x.js:1:2)`. What follows a path is part of it, but for line and column: a path may
 * hold spaces. Package paths of Go (`github.com/a/b.F`) and `node:internal/x` are names of code.
 */
const PATH_START =
  /(?:^|[\s:;("'`=@,<>[{|!])((?:[a-z][a-z0-9+.-]{0,20}:\/\/|[A-Za-z]:[\\/]|~?\/|\.{1,2}\/)\S)/
const POSITION = /(?::\d{1,9}){0,2}[)\]"'>]{0,8}$/
/** `fn (app.py:12)` and `JS:*fn app.js:1:2`: a file by its name alone. */
const FILE_IN_NAME = new RegExp(`(?:^|[\\s:(])([^\\s:()[\\]]+\\.(?:${EXTENSIONS}))(?::\\d{1,9}){1,2}\\)?$`)
/** What is looked at of the end of a name: a name may be a megabyte long. */
const TAIL_CHARS = 300

function withoutPaths(name: string, paths: Tokens): string {
  const start = PATH_START.exec(name)
  if (start !== null) {
    const from = start.index + start[0].length - start[1]!.length
    const position = POSITION.exec(name.slice(from).slice(-TAIL_CHARS))?.[0] ?? ''
    const path = name.slice(from, name.length - position.length)
    return `${name.slice(0, from)}${redactPath(path, paths)}${position}`
  }
  const tail = name.slice(-TAIL_CHARS)
  const path = FILE_IN_NAME.exec(tail)?.[1]
  if (path === undefined) return name
  const at = name.length - tail.length + tail.lastIndexOf(path)
  return `${name.slice(0, at)}${redactPath(path, paths)}${name.slice(at + path.length)}`
}

function redactLabel(label: Label, values: Tokens, kept: (text: string) => string): Label {
  if (label.str === undefined || label.str === '') return label
  if (KEPT_LABELS.has(label.key)) return { ...label, str: kept(label.str) }
  return { ...label, str: `${label.key}-${values.of(label.str)}` }
}

/** Hides names of hosts where they stand as words of their own. */
function hostHiding(names: readonly string[], hosts: Tokens): (text: string) => string {
  const known = [...new Set(names)].filter((name) => name !== '').sort((a, b) => b.length - a.length)
  if (known.length === 0) return (text) => text
  const plain = known.map((name) => name.replace(/[^\w]/g, '\\$&'))
  const word = new RegExp(`(?<![\\w-])(?:${plain.join('|')})(?![\\w-])`, 'g')
  return (text) => text.replace(word, (name) => `host-${hosts.of(name)}`)
}

/** In a sentence a path ends where its word does. */
function sentence(text: string, paths: Tokens): string {
  return text.replace(/(^|[\s("'=:])(~?\/[^\s"'),;]+)/g, (_, before: string, path: string) => {
    const end = /[.:]+$/.exec(path)?.[0] ?? ''
    return `${before}${redactPath(path.slice(0, path.length - end.length), paths)}${end}`
  })
}

function redactCapture(
  capture: CaptureReport,
  hosts: Tokens,
  hide: Readonly<Record<'name' | 'note', (text: string) => string>>,
): CaptureReport {
  const { target, host, notes } = capture
  return {
    ...capture,
    target: { ...target, name: hide.name(target.name) },
    host: { ...host, name: host.name === '' ? '' : `host-${hosts.of(host.name)}` },
    notes: notes.map(hide.note),
  }
}
