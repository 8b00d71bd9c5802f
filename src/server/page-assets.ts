/** The built parts of the page, read from dist once per process. The only place that knows where the build puts them. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AgentError } from '../errors.ts'
import type { PageAssets } from '../formats/html.ts'

const known = new Map<string, PageAssets>()

/**
 * Script, style and notices of the page.
 *
 * `root` is the package's directory; the default finds it from where this code runs, in the bundle or beside it.
 * Errors: AgentError `internal` when the page was not built.
 */
export function pageAssets(root: string = packageRoot()): PageAssets {
  const before = known.get(root)
  if (before !== undefined) return before
  const [script, worker, style, notices] = ['viewer.js', 'viewer-worker.js', 'viewer.css', 'notices.txt'].map(
    (name) => readAsset(root, name),
  )
  const assets = {
    script: script!,
    worker: worker!,
    style: style!,
    notices: notices!,
    scriptHash: sha256(script!),
    styleHash: sha256(style!),
  }
  known.set(root, assets)
  return assets
}

/** The nearest directory above this file that has a built page, else the current one (whose error then names it). */
function packageRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url))
  for (let at = start; dirname(at) !== at; at = dirname(at)) {
    if (existsSync(join(at, 'dist', 'viewer.js'))) return at
  }
  return dirname(start)
}

function readAsset(root: string, name: string): string {
  const path = join(root, 'dist', name)
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    const message = `cannot read ${path}, a part of the page: ${(cause as Error).message}; build it: npm run build:ts`
    throw new AgentError('internal', message, { cause })
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
