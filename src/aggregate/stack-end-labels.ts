/** How an incomplete stack ended, as a label of its samples: viewers can show those alone, and say what would mend them. */
import type { Label } from '../model/profile.ts'
import { APPROXIMATE_STACK, STACK_END_LABEL } from '../model/stack-end.ts'
import type { AbiNames } from '../native/sample-batch.ts'

/** By index into `stackEnds`: the label, or null for an end that makes the stack complete. */
export function stackEndLabels(stackEnds: AbiNames['stackEnds']): (Label | null)[] {
  return stackEnds.map(({ name, quality }) => {
    if (quality === 'complete') return null
    return { key: STACK_END_LABEL, str: quality === 'approximate' ? APPROXIMATE_STACK : name }
  })
}
