/** OTLP profiles as proto3 JSON. */
import { AgentError } from '../errors.ts'
import type { ProfilesData } from './model.ts'

export interface JsonOptions {
  /** How `profileId` is written: by the spec, or as the Collector wants it. */
  readonly profileId?: 'base64' | 'hex'
}

export function toJson(_data: ProfilesData, _options: JsonOptions = {}): string {
  throw new AgentError('internal', 'cannot write OTLP JSON yet')
}

/** Errors: AgentError input_invalid. */
export function fromJson(_text: string): ProfilesData {
  throw new AgentError('internal', 'cannot read OTLP JSON yet')
}
