// Fills prebuilds/ for the npm package: the addon, the symbolizer, the shared libraries a bare machine may lack, and
// their licences. The libraries are Debian's own files beside the addon (its RPATH is $ORIGIN), because Debian's
// static archives are not position independent; being separate files, they can be replaced, as the LGPL asks.
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { nodeHeaders } from './host.mjs'
import { ROOT, run } from './run.mjs'

/** soname -> Debian package whose copyright file goes along. */
const SHIPPED_LIBRARIES = {
  'libbpf.so.1': 'libbpf1',
  'libelf.so.1': 'libelf1',
  'liblzma.so.5': 'liblzma5',
  'libz.so.1': 'zlib1g',
}
/** Linked into the symbolizer. */
const LINKED_PACKAGES = ['libllvm19', 'libzstd1', 'libstdc++6']
const LICENCE_TEXTS = ['GPL-2', 'GPL-3', 'LGPL-2.1', 'LGPL-3']

/** soname -> path of every library that the loader would find for a program, itself not among them. */
export function sharedLibraries(file) {
  const lines = run(undefined, ['ldd', file]).split('\n')
  const rows = lines.map((line) => /^\s*(\S+) => (\/\S+)/.exec(line)).filter((row) => row !== null)
  return new Map(rows.map(([, soname, path]) => [soname, path]))
}

function collectLibraries(target) {
  const loaded = sharedLibraries('build/Release/addon.node')
  for (const soname of Object.keys(SHIPPED_LIBRARIES)) {
    const path = loaded.get(soname)
    if (path === undefined)
      throw new Error(
        `build/Release/addon.node does not load ${soname}: mend the list in bin/setup/release.mjs`,
      )
    cpSync(realpathSync(path), join(target, soname))
  }
}

function collectLicences(target) {
  for (const name of [...Object.values(SHIPPED_LIBRARIES), ...LINKED_PACKAGES]) {
    cpSync(realpathSync(join('/usr/share/doc', name, 'copyright')), join(target, `${name}.txt`))
  }
  for (const name of LICENCE_TEXTS)
    cpSync(join('/usr/share/common-licenses', name), join(target, `${name}.txt`))
}

/** Compiles from links in a directory of its own: prebuildify builds from scratch, and build/ may be in use. */
function compile(staging, artifacts) {
  for (const name of ['binding.gyp', 'bpf', 'native', 'node_modules', 'package.json']) {
    symlinkSync(join(ROOT, name), join(staging, name))
  }
  const options = ['--napi', '--strip', '--tag-libc', '--name', 'addon', '-t', process.versions.node]
  const places = ['--cwd', staging, '--out', ROOT, '--artifacts', artifacts]
  const prebuildify = join(ROOT, 'node_modules/prebuildify/bin.js')
  const env = { npm_config_nodedir: nodeHeaders() }
  run('building the release addon', ['node', prebuildify, ...options, ...places], { env })
}

/** Writes prebuilds/linux-x64 anew. The native targets must be built. */
export function buildRelease() {
  const work = join(ROOT, 'node_modules/.cache/emberscope/release')
  const [staging, artifacts] = [join(work, 'staging'), join(work, 'artifacts')]
  for (const directory of [work, join(ROOT, 'prebuilds')]) rmSync(directory, { recursive: true, force: true })
  for (const directory of [staging, join(artifacts, 'licenses')]) mkdirSync(directory, { recursive: true })
  cpSync(join(ROOT, 'build/Release/symbolizer'), join(artifacts, 'symbolizer'))
  collectLibraries(artifacts)
  collectLicences(join(artifacts, 'licenses'))
  compile(staging, artifacts)
  rmSync(work, { recursive: true })
  const addon = `prebuilds/linux-${process.arch}/addon.glibc.node`
  if (!existsSync(join(ROOT, addon))) throw new Error(`prebuildify left no ${addon}`)
}
