/** The chart as helm renders it, and the objects in that. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { CHART, HELM, VERSIONS } from './tools.ts'

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Record<string, string>
  }
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what kubeconform and the API server check
  readonly [field: string]: any
}

export interface HelmResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** helm with the given arguments; no configuration of the user's is read. */
export function helm(...args: string[]): HelmResult {
  const nowhere = '/nonexistent'
  const env = { PATH: process.env.PATH, HOME: nowhere, HELM_CONFIG_HOME: nowhere, HELM_DATA_HOME: nowhere }
  const result = spawnSync(HELM, args, {
    env: { ...env, HELM_CACHE_HOME: nowhere, KUBECONFIG: nowhere },
    encoding: 'utf8',
    timeout: 60_000,
    maxBuffer: 1 << 26,
  })
  return { status: result.status ?? 1, stdout: result.stdout, stderr: result.stderr }
}

/** `helm template` of release "emberscope" in namespace "profiling", by default for the newest Kubernetes. */
export function template(...args: string[]): HelmResult {
  const version = args.includes('--kube-version') ? [] : ['--kube-version', VERSIONS.kubernetes]
  return helm('template', 'emberscope', CHART, '--namespace', 'profiling', ...version, ...args)
}

/** The objects of a rendered text. Throws where it is no YAML. */
export function objectsOf(text: string): KubernetesObject[] {
  const documents = parseAllDocuments(text)
  return (Array.isArray(documents) ? documents : [])
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0]
      return document.toJS() as KubernetesObject | null
    })
    .filter((object) => object !== null)
}

/** Renders or throws with helm's own words. */
export function rendered(...args: string[]): KubernetesObject[] {
  const { status, stdout, stderr } = template(...args)
  if (status !== 0) throw new Error(`helm template ${args.join(' ')}: ${stderr}`)
  return objectsOf(stdout)
}

/** The only object of a kind. */
export function only(objects: readonly KubernetesObject[], kind: string): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind)
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind}, not one`)
  return found[0]!
}

/** Name of every example and its file of values. */
export function examples(): { readonly name: string; readonly values: string; readonly golden: string }[] {
  const directory = join(CHART, 'examples')
  return readdirSync(directory)
    .sort()
    .map((name) => ({
      name,
      values: join(directory, name, 'values.yaml'),
      golden: join(directory, name, 'rendered.yaml'),
    }))
}
