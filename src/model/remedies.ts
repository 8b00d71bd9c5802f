/** What to do about stacks that end early and functions without names: the same words in the terminal and on the page. */

/** For a binary without unwind tables. */
export function unwindRemedy(binary: string): string {
  return `build ${binary} with -fasynchronous-unwind-tables, or keep frame pointers (-fno-omit-frame-pointer)`
}

/** For a binary without symbols. */
export function symbolsRemedy(binary: string): string {
  return `install the debug symbols of ${binary} (find-dbgsym-packages names the package), or do not strip it`
}
