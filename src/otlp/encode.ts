/** Profile -> OTLP requests. */
import { AgentError } from '../errors.ts'
import type { Attributes } from '../model/attributes.ts'
import type { Profile } from '../model/profile.ts'

/** Which resource the samples of each label set belong to. */
export interface ResourceSplit {
  readonly resources: readonly Attributes[]
  /** Index into `resources`, by label set. */
  readonly ofLabelSet: Int32Array
}

/** An ExportProfilesServiceRequest, protobuf, not compressed. */
export interface EncodedRequest {
  readonly bytes: Uint8Array
  /** Samples as the profile counts them: its rows. */
  readonly samples: number
}

/** Name and version of who made the profiles: the instrumentation scope. */
export interface ProducerScope {
  readonly name: string
  readonly version: string
}

/** Each request is valid alone and smaller than `maxBytes`. */
export function encodeRequests(
  _profile: Profile,
  _split: ResourceSplit,
  _scope: ProducerScope,
  _maxBytes: number,
): EncodedRequest[] {
  throw new AgentError('internal', 'cannot encode OTLP yet')
}
