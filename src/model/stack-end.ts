/** The label of samples whose stack is not complete. */

/**
 * Key of a string label. Its value is the reason as in `CaptureReport.stacks.truncated`, or APPROXIMATE_STACK; samples
 * with a complete stack have no such label. The samples of each value add up to the report's count.
 */
export const STACK_END_LABEL = 'stack_end'

/** The value for stacks that reached their root by a step that was guessed. */
export const APPROXIMATE_STACK = 'approximate'
