/** host.* and os.* of the machine, and what the operator adds by OTEL_RESOURCE_ATTRIBUTES. */
import { arch, hostname, release } from 'node:os'
import type { Attributes } from '../model/attributes.ts'
import { readTextFile } from './host-files.ts'

/** `host.arch` of the semantic conventions by Node's name; others are passed on as they are. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: 'x86', arm: 'arm32' }

/** What the machine says of itself. `root` is the host's root directory ('' for our own). Unknown keys are absent. */
export function readHost(root: string): Attributes {
  const os = parseOsRelease(
    readTextFile(`${root}/etc/os-release`) ?? readTextFile(`${root}/usr/lib/os-release`) ?? '',
  )
  const pretty = os.PRETTY_NAME ?? os.NAME ?? 'Linux'
  return withoutEmpty({
    'host.name': readHostName(root),
    'host.id': readMachineId(root),
    'host.arch': ARCHITECTURES[arch()] ?? arch(),
    'os.type': 'linux',
    'os.name': os.NAME ?? '',
    'os.version': os.VERSION_ID ?? '',
    'os.description': `${pretty} (Linux ${release()})`,
  })
}

// The name in our UTS namespace is the pod's, so a container asks the host's file.
function readHostName(root: string): string {
  const file = root === '' ? '' : (readTextFile(`${root}/etc/hostname`) ?? '').trim()
  return file === '' ? hostname() : file.slice(0, 253)
}

function readMachineId(root: string): string {
  for (const path of ['/etc/machine-id', '/var/lib/dbus/machine-id']) {
    const id = (readTextFile(root + path) ?? '').trim()
    if (/^[0-9a-f]{32}$/.test(id)) return id // "uninitialized" in an image that was never booted
  }
  return ''
}

/** KEY=value lines of os-release, quotes and backslashes undone (https://www.freedesktop.org/software/systemd/man/os-release.html). */
export function parseOsRelease(text: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = Object.create(null)
  for (const line of text.split('\n')) {
    const match = /^([A-Z_][A-Z0-9_]*)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim())
    if (!match) continue
    const [, key = '', double, single, bare = ''] = match
    values[key] = single ?? (double ?? bare).replace(/\\(["$`\\])/g, '$1')
  }
  return values
}

/** Keys that name one service or process: in the agent's environment they are the agent's own, not its targets'. */
const OF_THE_AGENT = /^(service|process|telemetry|container)\./

/**
 * The attributes in OTEL_RESOURCE_ATTRIBUTES (`key=value,…`, values percent-encoded) that hold for the whole machine.
 * null when any part is malformed: the specification discards the variable as a whole then.
 */
export function parseResourceAttributes(text: string | undefined): Attributes | null {
  const attributes: Record<string, string> = {}
  for (const pair of (text ?? '').split(',')) {
    if (pair.trim() === '') continue
    const at = pair.indexOf('=')
    const key = pair.slice(0, at).trim()
    if (at < 1 || key === '') return null
    try {
      const value = decodeURIComponent(pair.slice(at + 1).trim())
      if (!OF_THE_AGENT.test(key)) attributes[key] = value
    } catch {
      return null // a lone % or bytes that are no UTF-8
    }
  }
  return attributes
}

/** The attributes whose value says something. */
export function withoutEmpty(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''))
}
