/**
 * The programs and schemas that the chart is tried with, of one version each. They are built from their Go modules by
 * `npm run test:kubernetes:tools` (half an hour, once) and kept outside the checkout by version; a test that needs one
 * that is not there is skipped with the command to get it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findTool } from '../helpers/host.ts'

export const VERSIONS = {
  helm: '4.3.1',
  kubeconform: '0.8.0',
  kubernetes: '1.37.2',
  etcd: '3.7.3',
} as const

/** Shared with the other peers: programs are expensive to build. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'emberscope-peers')

export const HELM = join(CACHE, `helm-${VERSIONS.helm}`)
export const KUBECONFORM = join(CACHE, `kubeconform-${VERSIONS.kubeconform}`)
export const APISERVER = join(CACHE, `kube-apiserver-${VERSIONS.kubernetes}`)
export const ETCD = join(CACHE, `etcd-${VERSIONS.etcd}`)
/** swagger.json of Kubernetes, and crds/ of the Prometheus operator and of OpenShift. */
export const SCHEMAS = join(CACHE, `kubernetes-schemas-${VERSIONS.kubernetes}`)
export const SWAGGER = join(SCHEMAS, 'swagger.json')
export const CRDS = join(SCHEMAS, 'crds')

export const CHART = 'helm/emberscope'

/** `skip` of a test that needs these of the paths above: false, or what is missing and how to get it. */
export function skipWithout(...paths: string[]): string | false {
  const missing = paths.filter((path) => !existsSync(path)).map((path) => path.slice(CACHE.length + 1))
  return missing.length > 0 && `${missing.join(', ')} not built: run \`npm run test:kubernetes:tools\``
}

/** `skip` of a test that needs a program of a Debian package. */
export function skipWithoutProgram(program: string, debianPackage: string): string | false {
  return findTool(program) === '' && `${program} is not installed (apt-get install ${debianPackage})`
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8')
}
