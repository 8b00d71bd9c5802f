/**
 * How a frame's kind travels in pprof, which has no field for it (and in OTLP where nobody set it): in the file name of
 * the location's mapping.
 *
 * Reading: names that producers agree on ('[kernel.kallsyms]', '*.ko', '//anon', '/tmp/perf-1.map') or a suffix of ours
 * (' [jit]'). Writing: a mapping whose name already says the kind is left alone; a location of another kind gets a
 * copy of its mapping whose name does. The encoder and the decoder share this file, so our own round trip keeps kinds.
 */
import type { FrameKind } from './profile.ts'

/** Names for mappings that have none but must say a kind. 'native' is what no name means. */
const BARE_NAMES: Readonly<Record<FrameKind, string>> = {
  native: '',
  kernel: '[kernel.kallsyms]',
  jit: '[jit]',
  interpreted: '[interpreted]',
}

const SUFFIX = / \[(native|kernel|jit|interpreted)\]$/
const KERNEL = /^\[(guest\.)?kernel|^\[bpf|\.ko(\.(gz|xz|zst))?$|(^|\/)vmlinux([-.]|$)/
const JIT = /^\[jit\]|^\/\/anon|^\[anon|(^|\/)perf-\d+\.map$|(^|\/)jitted-\d+-\d+\.so$|^JIT$/
const INTERPRETED = /^\[interpreted\]/

/** The kind that a mapping of this file name gives its frames. */
export function kindOfMappingName(fileName: string): FrameKind {
  const suffix = SUFFIX.exec(fileName)
  if (suffix) return suffix[1] as FrameKind
  if (KERNEL.test(fileName)) return 'kernel'
  if (JIT.test(fileName)) return 'jit'
  return INTERPRETED.test(fileName) ? 'interpreted' : 'native'
}

/** A file name that means `kind`, as near to `fileName` as can be. */
export function mappingNameOfKind(fileName: string, kind: FrameKind): string {
  if (kindOfMappingName(fileName) === kind) return fileName
  const bare = fileName.replace(SUFFIX, '')
  if (kindOfMappingName(bare) === kind) return bare
  return bare === '' ? BARE_NAMES[kind] : `${bare} [${kind}]`
}
