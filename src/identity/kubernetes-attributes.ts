/** A pod and container as attributes, and the service they are by the rules of the semantic conventions (§ k8s-attributes). */
import type { Attributes } from '../model/attributes.ts'
import { parseImageName, versionOfImage } from './image-name.ts'
import { CONFIG_HASH, type Pod, type PodContainer, type PodKeys } from './pods.ts'
import { mayBeClaimed } from './process-context-payload.ts'

const RESOURCE_ANNOTATION = 'resource.opentelemetry.io/'
const TEMPLATE_HASH = 'pod-template-hash'
const SERVICE_LABELS = ['app.kubernetes.io/instance', 'app.kubernetes.io/name', 'app.kubernetes.io/version']

/** What is taken over from pods. */
export interface KubernetesChoice {
  /** Pod labels and annotations that become `k8s.pod.label.<k>`, `k8s.pod.annotation.<k>`; exact keys. */
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
  /** Let the app.kubernetes.io labels name services (opt-in by the semantic conventions). */
  readonly serviceFromLabels: boolean
}

/** What has to be kept of every pod for these attributes. */
export function podKeys(choice: KubernetesChoice): PodKeys {
  const labels = new Set([...choice.labels, TEMPLATE_HASH, ...SERVICE_LABELS])
  const annotations = new Set([...choice.annotations, CONFIG_HASH])
  return {
    label: (key) => labels.has(key),
    annotation: (key) => annotations.has(key) || key.startsWith(RESOURCE_ANNOTATION),
  }
}

/** Attributes of a container of a pod, or of the pod alone (its sandbox, or a container too new for the API). */
export function podAttributes(
  pod: Pod,
  container: PodContainer | null,
  choice: KubernetesChoice,
): Attributes {
  const attributes: Record<string, string | number | readonly string[]> = {
    'k8s.namespace.name': pod.namespace,
    'k8s.pod.name': pod.name,
    'k8s.pod.uid': pod.uid,
    'k8s.node.name': pod.node,
  }
  if (container) {
    attributes['k8s.container.name'] = container.name
    attributes['k8s.container.restart_count'] = container.restartCount
    Object.assign(attributes, imageAttributes(container))
  }
  for (const [kind, name, uid] of workloadsOf(pod)) {
    attributes[`k8s.${kind}.name`] = name
    if (uid !== '') attributes[`k8s.${kind}.uid`] = uid
  }
  for (const key of choice.labels)
    if (pod.labels[key] !== undefined) attributes[`k8s.pod.label.${key}`] = pod.labels[key]
  for (const key of choice.annotations)
    if (pod.annotations[key] !== undefined) attributes[`k8s.pod.annotation.${key}`] = pod.annotations[key]
  return { ...attributes, ...serviceAttributes(pod, container, choice) }
}

function imageAttributes(container: PodContainer): Attributes {
  const { name, tag } = parseImageName(container.image)
  const ran = parseImageName(container.imageId)
  const attributes: Record<string, string | readonly string[]> = {}
  if (container.runtime !== '') attributes['container.runtime.name'] = container.runtime
  if (name !== '') attributes['container.image.name'] = name
  if (tag !== '') attributes['container.image.tags'] = [tag]
  if (ran.name !== '' && ran.digest !== '')
    attributes['container.image.repo_digests'] = [`${ran.name}@${ran.digest}`]
  else if (ran.digest !== '') attributes['container.image.id'] = ran.digest
  return attributes
}

type Workload = readonly [kind: string, name: string, uid: string]

/** Owners, the one closest to the user's intent first: its name is the workload's. */
export function workloadsOf(pod: Pod): readonly Workload[] {
  const { ownerName: name, ownerUid: uid } = pod
  switch (pod.ownerKind) {
    case 'ReplicaSet': {
      // A deployment names its sets <deployment>-<pod-template-hash>; a set of its own has no such label.
      const suffix = `-${pod.labels[TEMPLATE_HASH]}`
      const isDeployed = pod.labels[TEMPLATE_HASH] !== undefined && name.endsWith(suffix)
      const set: Workload = ['replicaset', name, uid]
      return isDeployed ? [['deployment', name.slice(0, -suffix.length), ''], set] : [set]
    }
    case 'Job': {
      // A cron job names its jobs by the minute they were due, counted from 1970: eight digits until 2160.
      const cron = /^(.+)-[2-9]\d{7}$/.exec(name)?.[1]
      const job: Workload = ['job', name, uid]
      return cron ? [['cronjob', cron, ''], job] : [job]
    }
    case 'StatefulSet':
    case 'DaemonSet':
      return [[pod.ownerKind.toLowerCase(), name, uid]]
    default:
      return []
  }
}

function serviceAttributes(pod: Pod, container: PodContainer | null, choice: KubernetesChoice): Attributes {
  const labels = choice.serviceFromLabels ? pod.labels : {}
  const instance = container ? `${pod.namespace}.${pod.name}.${container.name}` : ''
  const attributes: Record<string, string> = {}
  const set = (key: string, ...values: (string | undefined)[]) => {
    const value = values.find((one) => one !== undefined && one !== '')
    if (value !== undefined) attributes[key] = value
  }
  set('service.namespace', pod.namespace)
  set('service.version', labels['app.kubernetes.io/version'], versionOf(container))
  set('service.instance.id', instance)
  const workload = workloadsOf(pod)[0]?.[1]
  const [byInstance, byName] = [labels['app.kubernetes.io/instance'], labels['app.kubernetes.io/name']]
  set('service.name', byInstance, byName, workload, pod.name, container?.name)
  for (const [key, value] of Object.entries(pod.annotations))
    if (key.startsWith(RESOURCE_ANNOTATION) && mayBeClaimed(key.slice(RESOURCE_ANNOTATION.length)))
      set(key.slice(RESOURCE_ANNOTATION.length), value) // who may annotate a pod may not rename its node
  return attributes
}

function versionOf(container: PodContainer | null): string {
  return container ? versionOfImage(parseImageName(container.image)) : ''
}
