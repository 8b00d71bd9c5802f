// What the machine must offer before anything is built: Node, and for a live profile the kernel and the privileges.
// Plain ESM without dependencies, like everything under bin/setup: it runs before `npm ci`.
// A SetupFault is one line with its remedy and ends the set-up with exit code 3.
import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { dirname, join } from 'node:path'

const MINIMUM_NODE = [20, 19]
const MINIMUM_KERNEL = [5, 10] // the oldest that test/kernels boots
const CAP_SYS_ADMIN = 21n
const CAP_PERFMON = 38n
const CAP_BPF = 39n

/** Something the host lacks. The message is one line: what is missing, and what to do. */
export class SetupFault extends Error {}

function isOlder(version, [major, minor]) {
  const [haveMajor, haveMinor] = version.split('.').map((part) => Number.parseInt(part, 10))
  return haveMajor < major || (haveMajor === major && haveMinor < minor)
}

/** Throws where this is not Linux on x86-64, or Node is older than package.json's `engines` says. */
export function checkNode({
  version = process.versions.node,
  platform = process.platform,
  arch = process.arch,
} = {}) {
  if (platform !== 'linux' || arch !== 'x64') {
    throw new SetupFault(
      `runs on linux-x64 only, this is ${platform}-${arch}: use a 64-bit x86 Linux machine`,
    )
  }
  if (isOlder(version, MINIMUM_NODE)) {
    throw new SetupFault(
      `needs Node ${MINIMUM_NODE.join('.')} or later, this is ${version}: install Node 20, 22 or 24 (nodejs.org) and run the command again`,
    )
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // an absent file is an answer: the kernel was built without the feature
  }
}

/** True when the process holds the capabilities that load BPF programs and open perf events on every CPU. */
export function mayProfile(status = readText('/proc/self/status')) {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  const holds = (capability) => ((effective >> capability) & 1n) === 1n
  return holds(CAP_SYS_ADMIN) || (holds(CAP_PERFMON) && holds(CAP_BPF))
}

/** Throws where the kernel or the privileges do not allow a live profile. Reads only; nothing is changed. */
export function checkKernel({
  kernel = release(),
  hasBtf = existsSync('/sys/kernel/btf/vmlinux'),
  lockdown = readText('/sys/kernel/security/lockdown'),
  isRoot = process.getuid() === 0,
  permitted = mayProfile(),
} = {}) {
  if (isOlder(kernel, MINIMUM_KERNEL)) {
    throw new SetupFault(
      `needs Linux ${MINIMUM_KERNEL.join('.')} or later, this is ${kernel}: boot a newer kernel (Debian 12 has 6.1)`,
    )
  }
  if (!hasBtf) {
    throw new SetupFault(
      `the kernel ${kernel} has no BTF (/sys/kernel/btf/vmlinux): boot a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions ship it`,
    )
  }
  if (lockdown.includes('[confidentiality]')) {
    throw new SetupFault(
      'kernel lockdown is "confidentiality", which forbids BPF to read memory: boot with lockdown=integrity or lockdown=none',
    )
  }
  if (permitted) return
  if (isRoot) {
    throw new SetupFault(
      'this root has neither CAP_SYS_ADMIN nor CAP_BPF and CAP_PERFMON (a container?): start the container with --privileged',
    )
  }
  throw new SetupFault('profiling needs CAP_BPF and CAP_PERFMON, and you are not root: run `sudo npm start`')
}

/** The directory node-gyp takes as --nodedir: the running Node's own prefix. Headers are never downloaded. */
export function nodeHeaders(execPath = process.execPath) {
  const prefix = dirname(dirname(execPath))
  if (existsSync(join(prefix, 'include/node/node_api.h'))) return prefix
  throw new SetupFault(
    `the headers of ${execPath} are missing (${join(prefix, 'include/node/node_api.h')}): install them ` +
      "(Debian's own nodejs: `apt-get install libnode-dev`) or use a Node from nodejs.org, which brings them",
  )
}
