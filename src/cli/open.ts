/** `profile open FILE…`: profile files of any format as the page, on 127.0.0.1 until Ctrl-C. Its URL is all that goes to stdout. */
import { gzipSync } from 'node:zlib'
import { labelFiles, type NamedProfile } from '../model/label-files.ts'
import type { Profile } from '../model/profile.ts'
import type { OpenCommand } from './arguments.ts'
import { chooseBrowser, desktopOf, openInBrowser, sshDestination } from './browser.ts'
import { printLines } from './print.ts'
import type { World } from './world.ts'
import { redacted } from './write-outputs.ts'

/** Exit code. Errors: AgentError `input_invalid` for the file. */
export async function open(command: OpenCommand, world: World): Promise<number> {
  const [{ readProfileFile }, { writeHtml }, { pageAssets }, { servePage }] = await Promise.all([
    import('../formats/read-any.ts'),
    import('../formats/html.ts'),
    import('../server/page-assets.ts'),
    import('../server/page-server.ts'),
  ])
  const profile = await readFiles(command, readProfileFile, world)
  const html = writeHtml(profile, pageAssets(), (bytes) => gzipSync(bytes))
  const server = await servePage(html, command.port)
  const stopped = untilStopped(world)
  printLines(world.stdout, [server.url])
  const desktop = desktopOf(world)
  const choice = command.open ? chooseBrowser(desktop) : 'not a terminal'
  if (choice === 'ssh') {
    const { port } = new URL(server.url)
    printLines(world.stderr, [
      `from your machine: ssh -L ${port}:127.0.0.1:${port} ${sshDestination(world)}, then open the URL`,
    ])
  }
  if (choice === 'open') await openInBrowser(server.url, desktop, world)
  if (world.stderr.isTTY) printLines(world.stderr, ['serving until Ctrl-C'])
  await stopped
  await server.close()
  return 0
}

/** The files as one profile: with several, each sample says which it is of. */
async function readFiles(
  { files, redact }: OpenCommand,
  read: (path: string) => Promise<Profile>,
  world: World,
): Promise<Profile> {
  const named: NamedProfile[] = []
  for (const path of files) named.push({ path, profile: await read(path) })
  const profile = labelFiles(named)
  return redact ? redacted(profile, (line) => printLines(world.stderr, [line])) : profile
}

/** The handlers stay: a closed terminal says so twice, and the second hang-up must not kill us while we end. */
function untilStopped(world: World): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) world.onSignal(signal, done)
  })
}
