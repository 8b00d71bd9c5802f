/** Light or dark: the system's choice until the reader makes one. All colours follow `color-scheme` in the style sheet. */

/** Switches to the other one of what is shown now. */
export function toggleTheme(): void {
  const chosen = document.documentElement.dataset.theme
  const isDark = chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark'
  document.documentElement.dataset.theme = isDark ? 'light' : 'dark'
}
