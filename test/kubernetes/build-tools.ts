/**
 * Builds what tools.ts names and is not there yet, one after the other, each at idle priority: `node
 * dist/test/kubernetes/build-tools.js [NAME...]` with names of TOOLS. Needs Go and its module proxy.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import {
  APISERVER,
  CACHE,
  CRDS,
  ETCD,
  HELM,
  KUBECONFORM,
  readText,
  SCHEMAS,
  SWAGGER,
  VERSIONS,
} from './tools.ts'

const KUBERNETES = `k8s.io/kubernetes@v${VERSIONS.kubernetes}`
/** Modules that only give us their CRDs: module -> files. */
const CRD_MODULES: Readonly<Record<string, readonly string[]>> = {
  'github.com/prometheus-operator/prometheus-operator@v0.92.0': [
    'example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml',
    'example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml',
  ],
  'github.com/openshift/api@v0.0.0-20240124164020-e2ce40831f2e': [
    'security/v1/0000_03_security-openshift_01_scc.crd.yaml',
  ],
}
const LINK = ['-trimpath', '-ldflags=-s -w']

function go(args: readonly string[], directory: string): string {
  const env = { ...process.env, GOFLAGS: '-mod=mod -buildvcs=false', CGO_ENABLED: '0', GOBIN: directory }
  // One package at a time: the build takes long and must not disturb what else runs here.
  const result = spawnSync('nice', ['-n', '19', 'go', ...args], {
    cwd: directory,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
  if (result.status !== 0)
    throw new Error(`\`go ${args.join(' ')}\` failed: ${result.error?.message ?? result.stderr.slice(-2000)}`)
  return result.stdout
}

/** Directory of a module's sources in Go's cache. */
function moduleDirectory(module: string, directory: string): string {
  return (JSON.parse(go(['mod', 'download', '-json', module], directory)) as { Dir: string }).Dir
}

function install(module: string, target: string, directory: string): void {
  go(['install', '-p', '1', ...LINK, module], directory)
  const program = basename(module.slice(0, module.indexOf('@')))
  renameAcross(join(directory, program), target)
}

function renameAcross(from: string, to: string): void {
  cpSync(from, `${to}.new`, { dereference: true })
  renameSync(`${to}.new`, to) // whole or not there
}

/** Kubernetes replaces its staging modules by directories; as a dependency they come as modules of a version of their own. */
function buildApiserver(directory: string): void {
  const sources = moduleDirectory(KUBERNETES, directory)
  const staging = readText(join(sources, 'go.mod')).matchAll(/^\s*(k8s\.io\/\S+) => \.\/staging\//gm)
  const version = `v${VERSIONS.kubernetes.replace(/^1/, '0')}`
  const lines = [...staging].map(([, module]) => `\t${module} => ${module} ${version}`)
  const language = /^go (\S+)/m.exec(readText(join(sources, 'go.mod')))![1]
  const module = [`module apiserver`, `go ${language}`, `require ${KUBERNETES.replace('@', ' ')}`]
  writeFileSync(join(directory, 'go.mod'), [...module, 'replace (', ...lines, ')', ''].join('\n'))
  const output = join(directory, 'kube-apiserver')
  // The version is linked in; without one, helm finds every chart too new for it.
  const stamp = Object.entries({
    gitVersion: `v${VERSIONS.kubernetes}`,
    gitMajor: '1',
    gitMinor: VERSIONS.kubernetes.split('.')[1]!,
  })
  const flags = stamp.map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  const link = ['-trimpath', `-ldflags=-s -w ${flags.join(' ')}`]
  go(['build', '-p', '1', ...link, '-o', output, 'k8s.io/kubernetes/cmd/kube-apiserver'], directory)
  renameAcross(output, APISERVER)
}

function buildEtcd(directory: string): void {
  const source =
    'package main\n\nimport (\n\t"os"\n\n\t"go.etcd.io/etcd/server/v3/etcdmain"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n'
  writeFileSync(join(directory, 'main.go'), source)
  go(['mod', 'init', 'etcd'], directory)
  go(['get', `go.etcd.io/etcd/server/v3@v${VERSIONS.etcd}`], directory)
  go(['build', '-p', '1', ...LINK, '-o', join(directory, 'etcd'), '.'], directory)
  renameAcross(join(directory, 'etcd'), ETCD)
}

function fetchSchemas(directory: string): void {
  const made = join(directory, 'schemas')
  mkdirSync(join(made, 'crds'), { recursive: true })
  const sources = moduleDirectory(KUBERNETES, directory)
  cpSync(join(sources, 'api/openapi-spec/swagger.json'), join(made, basename(SWAGGER)))
  for (const [module, files] of Object.entries(CRD_MODULES)) {
    const from = moduleDirectory(module, directory)
    for (const file of files) cpSync(join(from, file), join(made, basename(CRDS), basename(file)))
  }
  cpSync(made, SCHEMAS, { recursive: true })
}

const TOOLS: Readonly<Record<string, readonly [path: string, build: (directory: string) => void]>> = {
  schemas: [SWAGGER, fetchSchemas],
  kubeconform: [
    KUBECONFORM,
    (directory) =>
      install(
        `github.com/yannh/kubeconform/cmd/kubeconform@v${VERSIONS.kubeconform}`,
        KUBECONFORM,
        directory,
      ),
  ],
  helm: [HELM, (directory) => install(`helm.sh/helm/v4/cmd/helm@v${VERSIONS.helm}`, HELM, directory)],
  apiserver: [APISERVER, buildApiserver],
  etcd: [ETCD, buildEtcd],
}

function buildTool(name: string): void {
  const tool = TOOLS[name]
  if (tool === undefined) throw new Error(`no such tool "${name}": one of ${Object.keys(TOOLS).join(', ')}`)
  const [path, build] = tool
  if (existsSync(path)) {
    console.log(`${name}: ${path}`)
    return
  }
  const directory = mkdtempSync(join(tmpdir(), 'emberscope-tool-'))
  const started = performance.now()
  try {
    build(directory)
    console.log(`${name}: ${path} (${Math.round((performance.now() - started) / 1000)} s)`)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

mkdirSync(CACHE, { recursive: true })
const wanted = process.argv.slice(2)
for (const name of wanted.length > 0 ? wanted : Object.keys(TOOLS)) {
  try {
    buildTool(name)
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  }
}
