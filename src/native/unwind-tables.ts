/** Face of the addon's reader of unwind tables: what of a file can be unwound. Runs on a worker thread, like the symbol
 * readers of symbols.ts. */

export interface UnwindTables {
  /** Where its rows come from: '.eh_frame', '.debug_frame', '.gopclntab', several joined by ' + '; '' for none. */
  readonly source: string
  /** Functions with rows. */
  readonly functions: number
  /** Bytes of code that were looked at (a sample of a large file), and those of them with rows. */
  readonly codeBytes: number
  readonly coveredBytes: number
  /** What was left out and why, '' for a file in order. */
  readonly note: string
  /** '' when the file could be read, else the reason; then there are no rows. */
  readonly failure: string
}

export interface UnwindReaders {
  /** `fd` may be closed as soon as this has returned. */
  describeUnwind(fd: number): Promise<UnwindTables>
}
