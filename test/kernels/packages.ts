/**
 * Debian kernels from their packages, by an apt of its own: lists, cache and sources lie below the cache directory, the
 * machine's apt keeps its state. Mirror, keyring and proxy are the ones it is set up with, read when this runs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Suites that hold the kernels; the machine's mirror has them all. */
const SUITES = ['bullseye', 'bookworm', 'bookworm-backports']
const APT_TIMEOUT_MS = 240_000
const ALL_SOURCES = '/etc/apt/sources.list.d'

/** Why the kernels are not to be had: a reason to skip, not to fail. */
export class NoPackages extends Error {}

/** By series ('5.10') the newest kernel's image, fetched and unpacked where `directory` does not hold it yet, or why it is
 * not to be had. */
export function fetchKernels(series: readonly string[], directory: string): Map<string, string | NoPackages> {
  const found = new Map<string, string | NoPackages>()
  let config = ''
  for (const version of series) {
    try {
      if (imageOf(version, directory) === undefined) {
        config ||= updated(directory)
        fetchKernel(version, directory, config)
      }
      found.set(version, imageOf(version, directory)!)
    } catch (error) {
      if (!(error instanceof NoPackages)) throw error
      found.set(version, error)
    }
  }
  return found
}

/** apt's configuration, its lists fetched. A suite that is not there may hold none of the missing kernels: not judged here. */
function updated(directory: string): string {
  const config = writeConfig(directory)
  apt(config, ['apt-get', 'update', '-q'])
  return config
}

function imageOf(version: string, directory: string): string | undefined {
  const boot = join(directory, version, 'boot')
  const image = existsSync(boot) ? readdirSync(boot).find((name) => name.startsWith('vmlinuz-')) : undefined
  return image && join(boot, image)
}

function fetchKernel(version: string, directory: string, config: string): void {
  const names = apt(config, ['apt-cache', 'pkgnames', `linux-image-${version}.`]).split('\n')
  const newest = newestKernel(names)
  if (newest === undefined)
    throw new NoPackages(`no package of a Linux ${version} on apt's mirror, or no mirror`)
  const place = join(directory, version)
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
  apt(config, ['apt-get', 'download', '-q', newest], place)
  const archive = readdirSync(place).find((name) => name.endsWith('.deb'))!
  apt(config, ['dpkg-deb', '-x', archive, 'whole'], place)
  apt(config, ['mv', 'whole/boot', 'boot'], place) // last: only a whole image counts as fetched
  for (const name of ['whole', archive]) rmSync(join(place, name), { recursive: true })
}

/** The highest version of the plain kernel among package names; no cloud, real-time or unsigned ones. */
export function newestKernel(names: readonly string[]): string | undefined {
  const plain = names.filter((name) => /^linux-image-[\d.]+(-\d+|\+deb\d+(\.\d+)?)?-amd64$/.test(name))
  return plain.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
}

/** Writes apt's configuration below the directory and returns its path. */
function writeConfig(directory: string): string {
  const state = join(directory, 'apt')
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(state, name), { recursive: true })
  const source = debianSource(machineSources())
  if (!source) throw new NoPackages('apt here has no source of Debian packages')
  const option = source.keyring === '' ? '' : `[signed-by=${source.keyring}] `
  const lines = SUITES.map((suite) => `deb ${option}${source.uri} ${suite} main\n`)
  writeFileSync(join(state, 'sources.list'), lines.join(''))
  writeFileSync(join(state, 'status'), '')
  const settings = {
    'Dir::State': `${state}/`,
    'Dir::State::status': join(state, 'status'),
    'Dir::Cache': `${state}/`,
    'Dir::Etc::sourcelist': join(state, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Sandbox::User': 'root', // the cache directory may be closed to apt's own user
    'Acquire::Retries': '2',
  }
  const text = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`)
  writeFileSync(join(state, 'apt.conf'), text.join(''))
  return join(state, 'apt.conf')
}

function machineSources(): string {
  const parts = existsSync(ALL_SOURCES)
    ? readdirSync(ALL_SOURCES).filter((name) => /\.(list|sources)$/.test(name))
    : []
  const files = ['/etc/apt/sources.list', ...parts.map((name) => join(ALL_SOURCES, name))]
  return files.map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('\n\n')
}

interface Source {
  readonly uri: string
  /** '' for apt's default keyrings. */
  readonly keyring: string
}

/** The first archive with a plain Debian release, in either format of apt's sources; not security or updates. */
export function debianSource(text: string): Source | undefined {
  const release = /(^|\s)(bullseye|bookworm|trixie|stable|oldstable)(\s|$)/
  for (const paragraph of text.split(/\n\s*\n/)) {
    const field = (name: string) =>
      new RegExp(`^${name}:[ \\t]*(.+)$`, 'm').exec(paragraph)?.[1]?.trim() ?? ''
    const uri = field('URIs').split(/\s+/)[0] ?? ''
    if (uri !== '' && release.test(field('Suites'))) return { uri, keyring: field('Signed-By') }
  }
  for (const line of text.split('\n')) {
    const [, options = '', uri = '', suites = ''] =
      /^deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(.*)/.exec(line.trim()) ?? []
    if (release.test(suites.split(/\s/)[0]!))
      return { uri, keyring: /signed-by=(\S+)/.exec(options)?.[1] ?? '' }
  }
  return undefined
}

/** Runs one of apt's commands with the private configuration and returns what it prints. */
function apt(config: string, [command, ...args]: string[], cwd?: string): string {
  const result = spawnSync(command!, args, {
    cwd,
    env: { ...process.env, APT_CONFIG: config, LC_ALL: 'C' },
    encoding: 'utf8',
    timeout: APT_TIMEOUT_MS,
  })
  if (result.status === 0) return result.stdout
  const reason = result.error?.message ?? result.stderr.trim().split('\n').at(-1)
  throw new NoPackages(`\`${command} ${args[0]}\` failed: ${reason}`)
}
