/**
 * The page as one file: script, style, notices and the packed profile in a document that needs nothing else, and the
 * way back from such a document to the profile.
 *
 * Nothing of the profile becomes markup or script: it is base64 inside an inert element, and the policy in the head
 * lets only the two bundled texts run, by their hashes. Compression comes in as a parameter, so that the module runs
 * in the browser too.
 */
import { AgentError } from '../errors.ts'
import { fromBase64, toBase64 } from '../model/byte-text.ts'
import type { Profile } from '../model/profile.ts'
import { previewOf } from '../view/preview.ts'
import { decodePacked, encodePacked } from './packed.ts'

/** Ids of the elements the page script reads; `baseline` holds the older profile of a comparison, `preview` a src/view/preview.ts, `worker` a script. */
export const PAGE_IDS = {
  preview: 'emberscope-preview',
  profile: 'emberscope-profile',
  baseline: 'emberscope-baseline',
  notices: 'emberscope-notices',
  worker: 'emberscope-worker',
  app: 'app',
} as const

/** The parts of the page that are the same for every profile; hashes are base64 SHA-256 of the exact text. */
export interface PageAssets {
  readonly script: string
  /** The script of the page's worker, which holds the profile. */
  readonly worker: string
  readonly style: string
  readonly notices: string
  readonly scriptHash: string
  readonly styleHash: string
  /** Title of the document; the target's name when absent. */
  readonly title?: string
}

/** Gzip in one go: `zlib.gzipSync` or its like. */
export type GzipStep = (bytes: Uint8Array) => Uint8Array

/**
 * The page of a profile as one HTML text; with a baseline it opens as a comparison of both.
 *
 * Errors: AgentError `internal` when an asset would end its own element (a bug of the build).
 */
export function writeHtml(
  profile: Profile,
  assets: PageAssets,
  gzip: GzipStep,
  baseline: Profile | null = null,
): string {
  const older = baseline === null ? '' : profileElement(PAGE_IDS.baseline, baseline, gzip)
  const element = profileElement(PAGE_IDS.profile, profile, gzip) + older
  const preview = baseline === null ? previewElement(profile) : ''
  const [title, policy] = [titleOf(profile), pagePolicy(assets)]
  return documentText(assets, { title, policy, isLive: false, preview, element })
}

/** Base64, as nothing of a profile becomes markup; small enough to need no packing. */
function previewElement(profile: Profile): string {
  const preview = previewOf(profile)
  if (preview === null) return ''
  const text = toBase64(new TextEncoder().encode(JSON.stringify(preview)))
  return `<script type="application/octet-stream" id="${PAGE_IDS.preview}">${text}</script>\n`
}

function profileElement(id: string, profile: Profile, gzip: GzipStep): string {
  const packed = toBase64(gzip(encodePacked(profile)))
  return `<script type="application/octet-stream+gzip" id="${id}">${packed}</script>\n`
}

/**
 * The page that an agent serves: without a profile, which it asks the agent for, window by window. Errors: as
 * `writeHtml`.
 */
export function writeLivePage(assets: PageAssets): string {
  const policy = livePagePolicy(assets)
  return documentText(assets, { title: 'Live · Emberscope', policy, isLive: true, preview: '', element: '' })
}

interface DocumentParts {
  readonly title: string
  readonly policy: string
  readonly isLive: boolean
  /** What is shown while the profile is unpacked. */
  readonly preview: string
  /** What holds the profile; behind the script, which has begun to draw when this is read. */
  readonly element: string
}

function documentText(
  assets: PageAssets,
  { title, policy, isLive, preview, element }: DocumentParts,
): string {
  if (/<\/script|<!--/i.test(assets.script + assets.worker) || /<\/style/i.test(assets.style)) {
    throw new AgentError(
      'internal',
      'cannot write the page: its script or style holds a closing tag; please report it',
    )
  }
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">\n`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
    '<meta name="color-scheme" content="light dark">\n',
    '<meta name="generator" content="Emberscope">\n',
    '<link rel="icon" href="data:,">\n',
    `<title>${escapeHtml(assets.title ?? title)}</title>\n`,
    `<style>${assets.style}</style>\n</head>\n<body>\n`,
    `<div id="${PAGE_IDS.app}"${isLive ? ' data-live' : ''}></div>\n`,
    '<noscript>This profile is drawn by a script inside the file; please allow scripts to see it.</noscript>\n',
    preview,
    `<pre id="${PAGE_IDS.notices}" hidden>${escapeHtml(assets.notices)}</pre>\n`,
    `<script type="text/plain" id="${PAGE_IDS.worker}">${assets.worker}</script>\n`,
    `<script>${assets.script}</script>\n`,
    element,
    '</body>\n</html>\n',
  ].join('')
}

/**
 * Content-Security-Policy of the page: no network, no inline code but the two texts whose hashes it names. The worker runs from
 * a blob that the page makes; pictures are those it draws.
 */
export function pagePolicy(assets: Pick<PageAssets, 'scriptHash' | 'styleHash'>): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${assets.scriptHash}'`,
    `style-src 'sha256-${assets.styleHash}'`,
    'worker-src blob:',
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

/** The same for the page of an agent, which talks to that agent and to nobody else. */
export function livePagePolicy(assets: Pick<PageAssets, 'scriptHash' | 'styleHash'>): string {
  return `${pagePolicy(assets)}; connect-src 'self'`
}

/** Gunzip in one go. Bounds its own output; throws when the data is damaged. */
export type GunzipStep = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

/** The profile inside a page that `writeHtml` made; of a comparison the newer one. Errors: AgentError `input_invalid`. */
export async function readHtml(page: string | Uint8Array, gunzip: GunzipStep): Promise<Profile> {
  const profile = await readElement(page, PAGE_IDS.profile, gunzip)
  if (profile === null) throw new AgentError('input_invalid', 'not a page of Emberscope: it holds no profile')
  return profile
}

/** The older profile of a comparison, null in other pages. Errors: as `readHtml`. */
export async function readHtmlBaseline(
  page: string | Uint8Array,
  gunzip: GunzipStep,
): Promise<Profile | null> {
  return await readElement(page, PAGE_IDS.baseline, gunzip)
}

async function readElement(
  page: string | Uint8Array,
  id: string,
  gunzip: GunzipStep,
): Promise<Profile | null> {
  const text = typeof page === 'string' ? page : new TextDecoder().decode(page)
  const open = text.indexOf(` id="${id}">`)
  if (open < 0) return null
  const from = text.indexOf('>', open) + 1
  const to = text.indexOf('</script>', from)
  if (to < 0) throw damaged(text.length, 'the profile is cut off')
  const bytes = fromBase64(text.slice(from, to))
  if (bytes === null) throw damaged(from, 'the profile is not base64')
  let packed: Uint8Array
  try {
    packed = await gunzip(bytes)
  } catch (cause) {
    throw damaged(from, `the profile cannot be unpacked (${(cause as Error).message})`, cause)
  }
  return decodePacked(packed)
}

function damaged(at: number, what: string, cause?: unknown): AgentError {
  const message = `the page is damaged at character ${at}: ${what}; make it again from the profile`
  return new AgentError('input_invalid', message, cause === undefined ? {} : { cause })
}

function titleOf(profile: Profile): string {
  const target = profile.capture?.target.name ?? ''
  return target === '' ? 'Profile · Emberscope' : `${target} · Emberscope`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
