// The root file system of the image (`node bin/setup/rootfs.mjs DIRECTORY`, run by the Dockerfile): the package's files,
// Node without its symbols, every shared library these load, and the few files of /etc that a C library and TLS look for.
// Nothing else: no shell, no npm. It builds what it ships; types and tests are CI's business.
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import { buildRelease, sharedLibraries } from './release.mjs'
import { ROOT, run } from './run.mjs'
import { bringUpToDate } from './steps.mjs'

const HOME = 'opt/emberscope'
/** Where the agent finds or writes things, and what a container runtime mounts over. */
const DIRECTORIES = [
  'dev',
  'proc',
  'sys',
  'etc/emberscope',
  'run/emberscope',
  'var/cache/emberscope',
  'var/lib/emberscope',
]
const TEXTS = {
  'etc/passwd': 'root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
  'etc/ssl/certs/ca-certificates.crt': `${rootCertificates.join('\n')}\n`,
}
/** Not needed at run time in a container. */
const LEFT_OUT = new Set(['src/cli/man/profile.1'])
/** Debian packages of the libraries that come from the build stage, for their licences. */
const LIBRARY_PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1']

function put(target, path, from) {
  mkdirSync(dirname(join(target, path)), { recursive: true })
  cpSync(from, join(target, path), { recursive: true, dereference: true })
}

/** What `npm pack` would ship, and the one package that the bundle loads at run time. */
function copyPackage(target) {
  const { files, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const own = ['package.json', 'LICENSE', ...files.filter((path) => !LEFT_OUT.has(path))]
  const packages = Object.keys(dependencies).map((name) => `node_modules/${name}`)
  for (const path of [...own, ...packages]) put(target, join(HOME, path), join(ROOT, path))
}

/** /usr/bin/profile: there is no `env` to find Node with. */
function installCommand(target) {
  const command = join(target, HOME, 'bin/profile')
  const script = readFileSync(command, 'utf8').replace(/^#!.*/, '#!/usr/bin/node')
  writeFileSync(command, script)
  chmodSync(command, 0o755)
  symlinkSync(join('/', HOME, 'bin/profile'), join(target, 'usr/bin/profile'))
}

function installNode(target) {
  put(target, 'usr/bin/node', realpathSync(process.execPath))
  run('stripping node', ['llvm-strip-19', join(target, 'usr/bin/node')])
  const licence = join(dirname(dirname(realpathSync(process.execPath))), 'LICENSE')
  if (existsSync(licence)) put(target, join(HOME, 'licenses/node.txt'), licence)
}

/** Libraries beside the addon are found by its RPATH; all others go where the loader looks without a cache. */
function copyLibraries(target) {
  const prebuilds = join(target, HOME, 'prebuilds', `linux-${process.arch}`)
  const programs = [
    join(target, 'usr/bin/node'),
    join(prebuilds, 'addon.glibc.node'),
    join(prebuilds, 'symbolizer'),
  ]
  const libraries = new Map(programs.flatMap((file) => [...sharedLibraries(file)]))
  for (const [soname, path] of libraries) {
    if (!path.startsWith(target)) put(target, join('lib', multiarch(), soname), realpathSync(path))
  }
  const loader = process.arch === 'x64' ? 'lib64/ld-linux-x86-64.so.2' : 'lib/ld-linux-aarch64.so.1'
  put(target, loader, realpathSync(join('/', loader)))
  for (const name of LIBRARY_PACKAGES) {
    put(target, join(HOME, 'licenses', `${basename(name)}.txt`), `/usr/share/doc/${name}/copyright`)
  }
}

function multiarch() {
  return process.arch === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu'
}

/** Writes the tree anew. prebuilds/ and dist/ must be there. */
function buildRootfs(target) {
  rmSync(target, { recursive: true, force: true })
  for (const path of DIRECTORIES) mkdirSync(join(target, path), { recursive: true })
  mkdirSync(join(target, 'tmp'))
  chmodSync(join(target, 'tmp'), 0o1777)
  for (const [path, text] of Object.entries(TEXTS)) {
    mkdirSync(dirname(join(target, path)), { recursive: true })
    writeFileSync(join(target, path), text)
  }
  copyPackage(target)
  installNode(target)
  installCommand(target)
  copyLibraries(target)
}

bringUpToDate(['npm', 'bpf', 'native'])
run('bundling', ['node', 'src/build.mjs'])
buildRelease()
buildRootfs(resolve(process.argv[2] ?? 'build/rootfs'))
