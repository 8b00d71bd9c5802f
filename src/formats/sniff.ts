/**
 * What a file is, by its first bytes; its name only breaks ties and words the error.
 *
 * pprof and OTLP are binary: their first messages hold control bytes, which none of the text formats has. Pure.
 */
import { looksLikeOtlp, looksLikeOtlpJson } from '../otlp/file.ts'
import { looksLikePprof } from '../pprof/decode-tables.ts'
import { looksLikePerfScript } from './perf-script-lines.ts'

export type Format = 'gzip' | 'pprof' | 'otlp' | 'html' | 'json' | 'otlp_json' | 'perf_script' | 'folded'

/** Bytes of the start of a file that are enough to tell. */
export const HEAD_BYTES = 4096

/** Files people mistake for profiles: their first bytes, and what to do instead. */
const OTHERS: readonly (readonly [magic: string, what: string])[] = [
  ['PERFILE2', "it is perf's own data; give us the text of it: perf script -i FILE > FILE.txt"],
  ['\x7fELF', 'it is a program or library; profile it with `profile -- FILE`'],
  ['PK\x03\x04', 'it is a zip archive; unpack it first'],
  ['\x28\xb5\x2f\xfd', 'it is zstd data; unpack it first'],
  ['\xfd7zXZ\x00', 'it is xz data; unpack it first'],
  ['FLR\x00', "it is a recording of Java's flight recorder, which we do not read"],
  ['go 1.', 'it is an execution trace of Go, not a profile; `go tool trace -pprof` makes one of it'],
]

/** The format of a file that starts with `head`, or the reason why it is none that we read. */
export function sniffFormat(head: Uint8Array, path: string): Format | { readonly reason: string } {
  if (head.length === 0) return { reason: 'it is empty' }
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip'
  const magic = String.fromCharCode(...head.subarray(0, 8))
  const other = OTHERS.find(([start]) => magic.startsWith(start))
  if (other) return { reason: other[1] }
  if (isText(head)) return textFormat(head)
  if (looksLikeOtlp(head)) return 'otlp'
  if (looksLikePprof(head)) return 'pprof'
  // A stray control byte in a name does not make a text file another format, if its name says that it is text.
  if (/\.(folded|collapsed|txt)(\.gz)?$/i.test(path)) return 'folded'
  return {
    reason:
      'its first bytes are of no format that we read (pprof, OTLP, perf script, folded, speedscope, cpuprofile, our HTML or JSON)',
  }
}

function textFormat(head: Uint8Array): Format {
  const start = new TextDecoder().decode(head).trimStart()
  // A frame may start with a brace or a bracket too: '[kernel]', '{lambda()#1}'.
  if (looksLikeOtlpJson(start)) return 'otlp_json'
  if (/^\{\s*["}]|^\[\s*\{\s*"/.test(start)) return 'json'
  if (/^<(!doctype\s+html|html|!--)/i.test(start)) return 'html'
  return looksLikePerfScript(new TextDecoder().decode(head)) ? 'perf_script' : 'folded'
}

/** No control bytes but tab, line breaks and escape. */
function isText(head: Uint8Array): boolean {
  return head.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13 || byte === 27)
}
