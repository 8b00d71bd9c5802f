/**
 * Bundles what runs outside the source tree: the page's scripts and style (one text each: module scripts do not load
 * from file://) with the licences of what they contain, and the command as one file. Types are tsc's business.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** d3-flame-graph brings a style sheet made for white pages; ours replaces it whole. */
const dropLibraryStyle = {
  name: 'drop-library-style',
  setup(bundle) {
    bundle.onResolve({ filter: /d3-flamegraph\.css$/ }, ({ path }) => ({ path, namespace: 'dropped' }))
    bundle.onLoad({ filter: /.*/, namespace: 'dropped' }, () => ({ contents: '', loader: 'css' }))
  },
}

async function bundleViewer() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { viewer: 'src/viewer/main.ts', 'viewer-worker': 'src/viewer/worker-main.ts' },
    outdir: 'dist',
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome123', 'firefox128', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none',
    metafile: true,
    alias: { 'd3-transition': './src/viewer/views/instant-transition.ts' },
    plugins: [dropLibraryStyle],
    logLevel: 'warning',
  })
  const intro = 'This page is made by Emberscope (Apache-2.0). It contains the following software.'
  writeFileSync(join(root, 'dist/notices.txt'), notices(intro, foldersOf(metafile)))
}

async function bundleProgram() {
  if (!existsSync(join(root, 'src/main.ts')))
    throw new Error('cannot bundle the command: src/main.ts is missing')
  const wanted = new Set()
  await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outfile: 'dist/profile.cjs',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // CommonJS has no import.meta; the file's own place is what the sources want of it.
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href" },
    define: { 'import.meta.url': 'bundleUrl' },
    plugins: [packagesApart(wanted, './packages')],
    // As require(): import() would see none of the names of a CommonJS package.
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  })
  await bundlePackages(wanted)
}

/** What V8 made of the command, for bin/profile. The old one goes first: V8 tells texts apart by their length alone. */
async function bundleCommand() {
  const program = join(root, 'dist/profile.cjs')
  rmSync(`${program}.code`, { force: true })
  await bundleProgram()
  const env = { ...process.env, EMBERSCOPE_WRITE_CODE: program }
  execFileSync(process.execPath, [join(root, 'bin/profile'), '--version'], { env, stdio: 'ignore' })
}

/** Loaded by some runs only, and together larger than all of ours: reading them costs every start 50 ms and memory. */
const APART = /^(yaml|@grpc\/grpc-js|@opentelemetry\/[^/]+)$/
const fileOf = (name) => `${name.replace(/[^a-z0-9]+/g, '-').replace(/^-/, '')}.cjs`

/** Imports of those packages become files of dist/packages, `from` where we are; `wanted` gets their names. */
function packagesApart(wanted, from) {
  return {
    name: 'packages-apart',
    setup(bundle) {
      bundle.onResolve({ filter: APART }, ({ path, kind }) => {
        if (kind === 'entry-point') return undefined
        wanted.add(path)
        return { path: `${from}/${fileOf(path)}`, external: true }
      })
    },
  }
}

/** A file for each package, which may want others. */
async function bundlePackages(wanted) {
  const folders = new Set()
  // A Set that grows is walked to its new end.
  for (const name of wanted) {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [name],
      outfile: `dist/packages/${fileOf(name)}`,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      metafile: true,
      plugins: [packagesApart(wanted, '.')],
      logLevel: 'warning',
    })
    for (const folder of foldersOf(metafile)) folders.add(folder)
  }
  const intro = 'Emberscope (Apache-2.0) contains the following software in this directory.'
  writeFileSync(join(root, 'dist/packages/notices.txt'), notices(intro, folders))
}

/** Folders of the packages that a bundle contains. */
function foldersOf(metafile) {
  const inputs = Object.keys(metafile.inputs)
  const folders = inputs.map((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0])
  return new Set(folders.filter((folder) => folder !== undefined))
}

/** Name, version and licence text of every package, below an introduction. */
function notices(intro, folders) {
  const texts = [...folders].sort().map((folder) => {
    const about = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name))
    if (file === undefined) throw new Error(`cannot write the notices: ${about.name} has no licence file`)
    const text = readFileSync(join(root, folder, file), 'utf8').trim()
    return `${about.name} ${about.version} (${about.license})\n\n${text}`
  })
  return `${[intro, ...texts].join(`\n\n${'-'.repeat(72)}\n\n`)}\n`
}

mkdirSync(join(root, 'dist'), { recursive: true })
await bundleViewer()
await bundleCommand()
