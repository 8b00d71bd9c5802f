/**
 * Bundles what runs outside the source tree: the page's script and style (one text each: module scripts do not load
 * from file://) with the licences of what they contain, and the command as one file. Types are tsc's business.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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
    entryPoints: { viewer: 'src/viewer/main.ts' },
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
  writeFileSync(join(root, 'dist/notices.txt'), noticesOf(metafile))
}

async function bundleCommand() {
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
  // A Set that grows is walked to its new end.
  for (const name of wanted)
    await build({
      absWorkingDir: root,
      entryPoints: [name],
      outfile: `dist/packages/${fileOf(name)}`,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      plugins: [packagesApart(wanted, '.')],
      logLevel: 'warning',
    })
}

/** Name, version and licence text of every package a bundle contains. */
function noticesOf(metafile) {
  const folders = new Set()
  for (const input of Object.keys(metafile.inputs)) {
    const match = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)
    if (match !== null) folders.add(match[0])
  }
  const notices = [...folders].sort().map((folder) => {
    const about = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, folder)).find((name) => /^licen[cs]e/i.test(name))
    if (file === undefined) throw new Error(`cannot write the notices: ${about.name} has no licence file`)
    const text = readFileSync(join(root, folder, file), 'utf8').trim()
    return `${about.name} ${about.version} (${about.license})\n\n${text}`
  })
  const intro = 'This page is made by Emberscope (Apache-2.0). It contains the following software.'
  return `${[intro, ...notices].join(`\n\n${'-'.repeat(72)}\n\n`)}\n`
}

mkdirSync(join(root, 'dist'), { recursive: true })
await bundleViewer()
await bundleCommand()
