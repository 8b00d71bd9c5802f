/** Samples whose stack is not whole: capture tells how it ended by the label `stack_end`, which complete stacks do not have. */
import type { Profile } from '../model/profile.ts'
import { STACK_END_LABEL } from '../model/stack-end.ts'
import { rowsOfLabel, textOf } from './labels.ts'

/** 1 for each row whose stack ended for a reason; '' stands for any reason. */
export function rowsBroken(profile: Profile, reason: string): Uint8Array {
  return rowsOfLabel(profile, (labels) => {
    const label = labels.find(({ key }) => key === STACK_END_LABEL)
    return label !== undefined && (reason === '' || textOf(label) === reason)
  })
}

/** Whether the profile has any such sample. */
export function hasBroken(profile: Profile): boolean {
  return profile.labelSets.some((labels) => labels.some(({ key }) => key === STACK_END_LABEL))
}
