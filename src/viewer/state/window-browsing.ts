/** The history of the browser's window, as the page uses it. */
import type { Browsing } from './history.ts'

/** The window's own history. */
export function windowBrowsing(): Browsing {
  // '#' alone keeps file:// pages where they are, and takes the old hash away.
  const address = (hash: string): string => `#${hash}`
  return {
    get hash() {
      return location.hash
    },
    get entry() {
      return history.state as unknown
    },
    push: (entry, hash) => history.pushState(entry, '', address(hash)),
    replace: (entry, hash) => history.replaceState(entry, '', address(hash)),
    back: () => history.back(),
    onMove: (moved) => addEventListener('popstate', moved),
  }
}
