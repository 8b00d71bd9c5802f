/** The code of the stages behind the sampler, in one import that is made when samples are being taken. */
export { Exporter } from '../export/exporter.ts'
export { Identity } from '../identity/identity.ts'
export { processRows } from '../metrics/process-rows.ts'
export { CONTENT_TYPES, expose, negotiate } from '../metrics/prometheus.ts'
export { encodeRequestSteps, encodeRequests } from '../otlp/encode.ts'
export { AgentServer } from '../server/agent-server.ts'
export { Recorder } from '../server/recorder.ts'
export { telemetryRows } from '../telemetry/telemetry-rows.ts'
export { exportRows } from './rows/export-rows.ts'
export { identityRows, recorderRows, serverRows } from './rows/stage-rows.ts'

/** What `import('./stage-code.ts')` gives. */
export type StageCode = typeof import('./stage-code.ts')
