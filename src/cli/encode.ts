/** A profile as the bytes of one output format. Heavy writers are loaded when first needed. */
import { gzipSync } from 'node:zlib'
import type { Profile } from '../model/profile.ts'
import type { FoldedRoot } from './options.ts'
import type { Contents } from './output-files.ts'
import type { OutputFormat } from './output-plan.ts'

/** Compression level: 6 halves the time of 9 for 1 % of size. */
const GZIP_LEVEL = 6

/**
 * Contents of a file of that format. Text formats come piece by piece; `root` begins folded stacks only. `otlp`: the request,
 * where somebody knows more of the processes than the profile does.
 */
export async function encodeProfile(
  profile: Profile,
  format: OutputFormat['name'],
  root: FoldedRoot,
  otlp = (): Promise<Uint8Array> => otlpBytes(profile),
): Promise<Contents> {
  switch (format) {
    case 'html': {
      const [{ writeHtml }, { pageAssets }] = await Promise.all([
        import('../formats/html.ts'),
        import('../server/page-assets.ts'),
      ])
      return [writeHtml(profile, pageAssets(), (bytes) => gzipSync(bytes, { level: GZIP_LEVEL }))]
    }
    case 'pprof': {
      const { encodePprof } = await import('../pprof/encode.ts')
      return [gzipSync(encodePprof(profile), { level: GZIP_LEVEL })]
    }
    case 'otlp':
      return [await otlp()]
    case 'otlp_json': {
      const [{ decodeRequest }, { toJson }] = await Promise.all([
        import('../otlp/decode.ts'),
        import('../otlp/json.ts'),
      ])
      return [toJson(decodeRequest(await otlp())), '\n']
    }
    case 'folded':
      return (await import('../formats/folded.ts')).writeFolded(profile, root === '' ? {} : { root })
    case 'speedscope':
      return (await import('../formats/speedscope.ts')).writeSpeedscope(profile)
    case 'csv':
      return (await import('../formats/csv.ts')).writeCsv(profile)
    case 'svg':
      return (await import('../formats/svg.ts')).writeSvg(profile)
    case 'json':
      return (await import('../formats/profile-json.ts')).writeProfileJson(profile)
  }
}

async function otlpBytes(profile: Profile): Promise<Uint8Array> {
  const [{ encodeProfilesData }, { version }] = await Promise.all([
    import('../otlp/encode.ts'),
    import('./version.ts'),
  ])
  return encodeProfilesData(profile, { name: 'emberscope', version: version() })
}
