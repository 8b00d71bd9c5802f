/** Attribute names in OTLP profiles: semantic conventions, those for pprof's fields, and our labels as attributes. */

import { STACK_END_LABEL } from '../model/stack-end.ts'

/** https://opentelemetry.io/docs/specs/semconv: the version whose names we write. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0'

export const FRAME_TYPE = 'profile.frame.type'
export const BUILD_ID_GNU = 'process.executable.build_id.gnu'
export const BUILD_ID_GO = 'process.executable.build_id.go'
/** In the order in which a reader believes them. */
export const BUILD_ID_KEYS: readonly string[] = [
  BUILD_ID_GNU,
  BUILD_ID_GO,
  'process.executable.build_id.htlhash',
  'process.executable.build_id.profiling',
]
/** Why a location has no lines: a key of UNNAMED_REASONS. Ours. */
export const UNNAMED_REASON = 'emberscope.frame.unnamed_reason'

export const PROCESS_PID = 'process.pid'

/** What pprof has and OTLP has no field for. */
export const PPROF = {
  hasFunctions: 'pprof.mapping.has_functions',
  hasFilenames: 'pprof.mapping.has_filenames',
  hasLineNumbers: 'pprof.mapping.has_line_numbers',
  hasInlineFrames: 'pprof.mapping.has_inline_frames',
  isFolded: 'pprof.location.is_folded',
  dropFrames: 'pprof.profile.drop_frames',
  keepFrames: 'pprof.profile.keep_frames',
  docUrl: 'pprof.profile.doc_url',
  comment: 'pprof.profile.comment',
  defaultSampleType: 'pprof.scope.default_sample_type',
  sampleTypeOrder: 'pprof.scope.sample_type_order',
} as const

/** Labels of our own captures and what the conventions call them. Labels of other producers keep their names. */
const LABEL_ATTRIBUTES: readonly (readonly [label: string, attribute: string])[] = [
  ['pid', PROCESS_PID],
  ['comm', 'process.executable.name'],
  ['tid', 'thread.id'],
  ['thread', 'thread.name'],
  ['cpu', 'cpu.logical_number'],
  [STACK_END_LABEL, 'emberscope.stack.end'],
]
export const ATTRIBUTE_OF_LABEL: ReadonlyMap<string, string> = new Map(LABEL_ATTRIBUTES)
export const LABEL_OF_ATTRIBUTE: ReadonlyMap<string, string> = new Map(
  LABEL_ATTRIBUTES.map(([label, attribute]) => [attribute, label]),
)
/** Labels that say which process: left out of samples whose resource is that process. */
export const PROCESS_LABELS: ReadonlySet<string> = new Set(['pid', 'comm'])

/** Labels that stand for a Link. */
export const TRACE_ID_LABEL = 'trace_id'
export const SPAN_ID_LABEL = 'span_id'
