// The Debian packages that building and testing need, and their installation. A package counts as present when the
// file we use of it is there, so another distribution works too where the same files exist; only apt installs.
import { existsSync } from 'node:fs'
import { SetupFault } from './host.mjs'
import { run } from './run.mjs'

/** By purpose: package name -> the file that shows it is installed. */
export const PACKAGES = {
  build: {
    'clang-19': '/usr/bin/clang-19',
    'llvm-19': '/usr/bin/llvm-strip-19',
    'llvm-19-dev': '/usr/lib/llvm-19/lib/libLLVMDebugInfoDWARF.a',
    bpftool: '/usr/sbin/bpftool',
    'libbpf-dev': '/usr/include/bpf/libbpf.h', // brings libelf-dev
    'liblzma-dev': '/usr/include/lzma.h',
    'libzstd-dev': '/usr/include/zstd.h',
    'zlib1g-dev': '/usr/include/zlib.h',
    'g++': '/usr/bin/g++',
    make: '/usr/bin/make',
    python3: '/usr/bin/python3', // node-gyp is written in it
  },
  test: {
    'clang-format-19': '/usr/bin/clang-format-19',
    'clang-tidy-19': '/usr/bin/clang-tidy-19',
    'xz-utils': '/usr/bin/xz', // makes the .gnu_debugdata the symbol tests read
  },
  // Without these some tests are skipped, or a slow ring cannot run.
  ci: {
    chromium: '/usr/bin/chromium',
    'linux-perf': '/usr/bin/perf', // the peer that integration tests compare with
    'libclang-rt-19-dev': '/usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.fuzzer-x86_64.a',
    dwz: '/usr/bin/dwz',
    'qemu-system-x86': '/usr/bin/qemu-system-x86_64', // boots the kernels that the sampler is tried on
    prometheus: '/usr/bin/promtool', // checks the agent's metrics and the chart's alerts
    'musl-tools': '/usr/bin/musl-gcc', // a C library without unwind tables
    openssl: '/usr/bin/openssl', // real programs whose stacks must be whole
    sqlite3: '/usr/bin/sqlite3',
    fish: '/usr/bin/fish',
    zsh: '/usr/bin/zsh',
    'linux-libc-dev-arm64-cross': '/usr/aarch64-linux-gnu/include/asm/ptrace.h',
  },
}

/** The packages of these purposes whose file is not there. */
export function missingPackages(purposes, isPresent = existsSync) {
  const wanted = purposes.flatMap((purpose) => Object.entries(PACKAGES[purpose]))
  return wanted.filter(([, path]) => !isPresent(path)).map(([name]) => name)
}

/** Bytes apt would download: the sizes in `apt-get --print-uris` lines ('uri' file size hash). */
export function downloadBytes(printUris) {
  return printUris.split('\n').reduce((sum, line) => sum + (Number(line.split(' ')[2]) || 0), 0)
}

const ENVIRONMENT = { DEBIAN_FRONTEND: 'noninteractive' }
const QUIET = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120']

/** Installs what is missing and returns the bytes downloaded. Throws SetupFault, naming the command, where it cannot. */
export function installPackages(
  missing,
  { isRoot = process.getuid() === 0, hasApt = existsSync('/usr/bin/apt-get') } = {},
) {
  if (missing.length === 0) return 0
  const names = missing.join(' ')
  const command = `apt-get install --no-install-recommends ${names}`
  if (!hasApt) {
    throw new SetupFault(
      `missing ${names}, and here is no apt-get: install what \`${command}\` would on Debian 12`,
    )
  }
  if (!isRoot) {
    throw new SetupFault(
      `missing ${names}, and installing needs root: run \`sudo ${command}\`, then this again`,
    )
  }
  const apt = (title, args) => run(title, ['apt-get', ...args], { env: ENVIRONMENT })
  try {
    apt('apt-get update', ['update', '-q'])
    const bytes = downloadBytes(apt(undefined, ['install', '--print-uris', '-qq', ...QUIET, ...missing]))
    apt(`apt-get install ${names} (${Math.round(bytes / 1e6)} MB)`, ['install', '-q', ...QUIET, ...missing])
    return bytes
  } catch (cause) {
    throw new SetupFault(
      `cannot install ${names}: ${cause.message}; mend apt or the network, then run \`${command}\``,
    )
  }
}
