/** Which resource the samples of each label set belong to: one a container, one a process outside. */

import type { Attributes } from '../model/attributes.ts'
import type { Profile } from '../model/profile.ts'
import type { SampledProcess } from '../model/sampled-process.ts'
import type { ResourceSplit } from '../otlp/encode.ts'

/** The part of Identity that is asked. Equal resources must be the same object. */
export interface WhoIsThis {
  attributesOf(process: SampledProcess): Attributes
  host(): Attributes
}

/** Shape: resources in the order they are first met; a profile without origins is the host's as a whole. */
export function splitByResource(profile: Profile, identity: WhoIsThis): ResourceSplit {
  const { origins, labelSets } = profile
  if (origins === undefined)
    return { resources: [identity.host()], ofLabelSet: new Int32Array(labelSets.length) }
  const indices = new Map<Attributes, number>()
  const indexOf = (attributes: Attributes): number => {
    const known = indices.get(attributes)
    if (known !== undefined) return known
    indices.set(attributes, indices.size)
    return indices.size - 1
  }
  let host: Attributes | undefined
  const ofHost = (): number => {
    host ??= identity.host()
    return indexOf(host)
  }
  const ofProcess = origins.processes.map((process) => indexOf(identity.attributesOf(process)))
  const ofLabelSet = Int32Array.from(labelSets, (_, set) => {
    const process = origins.ofLabelSet[set] ?? -1
    return ofProcess[process] ?? ofHost()
  })
  return { resources: [...indices.keys()], ofLabelSet }
}
