/** A merged profile as the body of an answer, by the `format` of its URL. Heavy writers are loaded when first asked for. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { pageAssets } from './page-assets.ts'

const gzipped = promisify(gzip)

/** Profile -> OTLP request bytes; handed in, as resources are the agent's business. */
export type OtlpEncoder = (profile: Profile) => Uint8Array | Promise<Uint8Array>

export interface ProfileBody {
  readonly contentType: string
  /** Of the file, when it is saved; '' for what a browser shows. */
  readonly fileName: string
  readonly pieces: Iterable<string | Uint8Array>
  /** Beside the security headers: a page has a policy of its own. */
  readonly headers: Readonly<Record<string, string>>
}

export const PROFILE_FORMATS = ['html', 'pb.gz', 'json', 'folded', 'speedscope.json', 'otlp'] as const
export type ProfileFormat = (typeof PROFILE_FORMATS)[number]

/** Errors: AgentError `usage`. */
export function parseFormat(text: string | null): ProfileFormat {
  const format = PROFILE_FORMATS.find((known) => known === (text ?? 'pb.gz'))
  if (format !== undefined) return format
  throw new AgentError(
    'usage',
    `"format" must be one of ${PROFILE_FORMATS.join(', ')}, got "${text!.slice(0, 40)}"`,
  )
}

/** Errors: AgentError `unsupported` for OTLP where the agent gave no encoder. */
export async function profileBody(
  profile: Profile,
  format: ProfileFormat,
  encodeOtlp: OtlpEncoder | undefined,
): Promise<ProfileBody> {
  const fileName = `profile.${format}`
  const binary = { contentType: 'application/octet-stream', fileName, headers: {} }
  const text = { contentType: 'text/plain; charset=utf-8', fileName, headers: {} }
  switch (format) {
    case 'html':
      return await htmlBody(profile)
    case 'pb.gz': {
      const { encodePprof } = await import('../pprof/encode.ts')
      return { ...binary, pieces: [await gzipped(encodePprof(profile))] }
    }
    case 'json': {
      const { writeProfileJson } = await import('../formats/profile-json.ts')
      return { ...text, contentType: 'application/json', pieces: writeProfileJson(profile) }
    }
    case 'folded':
      return { ...text, pieces: (await import('../formats/folded.ts')).writeFolded(profile) }
    case 'speedscope.json': {
      const { writeSpeedscope } = await import('../formats/speedscope.ts')
      return { ...text, contentType: 'application/json', pieces: writeSpeedscope(profile) }
    }
    case 'otlp': {
      if (encodeOtlp === undefined)
        throw new AgentError('unsupported', 'this agent writes no OTLP here; use format=pb.gz')
      return { ...binary, contentType: 'application/x-protobuf', pieces: [await encodeOtlp(profile)] }
    }
  }
}

async function htmlBody(profile: Profile): Promise<ProfileBody> {
  const [{ pagePolicy, writeHtml }, { gzipSync }] = await Promise.all([
    import('../formats/html.ts'),
    import('node:zlib'),
  ])
  const assets = pageAssets()
  const policy = `${pagePolicy(assets)}; frame-ancestors 'none'`
  return {
    contentType: 'text/html; charset=utf-8',
    fileName: '',
    pieces: [writeHtml(profile, assets, (bytes) => gzipSync(bytes))],
    headers: { 'content-security-policy': policy },
  }
}
