/** OTLP bytes -> typed tables. */
import { AgentError } from '../errors.ts'
import type { ProfilesData } from './model.ts'

/** Errors: AgentError input_invalid naming field and index. */
export function decodeRequest(_bytes: Uint8Array): ProfilesData {
  throw new AgentError('internal', 'cannot decode OTLP yet')
}
