/** The instrumentation scope of everything we tell about ourselves. */
export const SCOPE = 'emberscope'
