/** Attributes of a resource or a scope, as OpenTelemetry means them: keys are unique, values are typed. */

/** A bigint is an int64; a number is an int64 when it is a safe integer, else a double. */
export type AttributeValue = string | number | bigint | boolean | readonly string[]

/** Keys by the semantic conventions (`container.id`), in the order they are written. */
export type Attributes = Readonly<Record<string, AttributeValue>>
