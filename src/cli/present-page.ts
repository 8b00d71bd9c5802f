/** After the page is written: opens it, or says how to get it to the user's machine. */
import { resolve } from 'node:path'
import { chooseBrowser, type Desktop, openInBrowser, sshLines } from './browser.ts'
import type { WrittenFile } from './output-files.ts'
import type { World } from './world.ts'

export interface Presented {
  readonly opened: string
  readonly afterFiles: readonly string[]
}

const NOTHING: Presented = { opened: '', afterFiles: [] }

/** `wanted` false: neither opens nor advises. */
export async function presentPage(
  files: readonly WrittenFile[],
  wanted: boolean,
  desktop: Desktop,
  world: World,
): Promise<Presented> {
  const page = files.find((file) => file.format === 'html')
  if (!wanted || !page) return NOTHING
  const path = resolve(world.cwd, page.path)
  const choice = chooseBrowser(desktop)
  if (choice === 'ssh') return { opened: '', afterFiles: sshLines(path, world) }
  if (choice !== 'open' || !(await openInBrowser(path, desktop, world))) return NOTHING
  return { opened: 'opened in your browser', afterFiles: [] }
}
