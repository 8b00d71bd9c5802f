/**
 * Who is this process: the resource that its samples belong to.
 *
 * One resource a container (and published process context), one a process outside containers, one for the kernel's
 * threads. What vanishes with a process (cgroup, executable, context) is read when it is first seen; what arrives late
 * (the pod of a new container) is looked up when a window is sent. Nothing here is done per sample.
 */
import type { Attributes } from '../model/attributes.ts'
import type { SampledProcess } from '../model/sampled-process.ts'

export interface KubernetesOptions {
  /** `spec.nodeName` of the pods asked for: the downward API's NODE_NAME. */
  readonly nodeName: string
  /** Pod labels and annotations that become `k8s.pod.label.<k>`, `k8s.pod.annotation.<k>`; exact keys. */
  readonly labels: readonly string[]
  readonly annotations: readonly string[]
  /** Let the app.kubernetes.io labels name services (opt-in by the semantic conventions). */
  readonly serviceFromLabels: boolean
  /** API server; defaults: KUBERNETES_SERVICE_HOST and _PORT. */
  readonly host?: string
  readonly port?: number
  /** Directory of `token` and `ca.crt`; default /var/run/secrets/kubernetes.io/serviceaccount. */
  readonly accountDirectory?: string
}

export interface IdentityOptions {
  /** The agent's environment: OTEL_RESOURCE_ATTRIBUTES, KUBERNETES_SERVICE_HOST. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** null: no API server is asked. */
  readonly kubernetes: KubernetesOptions | null
  /** Read what processes publish of themselves (OTEP 4719). */
  readonly processContext: boolean
  /** process.command_line; off by default: it can hold secrets. */
  readonly commandLine: boolean
}

/** Counters since start; `failures` and `sources` by reason. */
export interface IdentityStats {
  /** Processes and resources known now. */
  readonly processes: number
  readonly resources: number
  /** How processes got their container: cgroup-id, proc, parent, none. */
  readonly sources: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  /** Pods known now; 0 without Kubernetes. */
  readonly pods: number
  /** '' while the API server answers or none is asked, else why its pods are not known. */
  readonly kubernetesFault: string
}

export class Identity {
  constructor(_options: IdentityOptions) {}

  /** Notes processes while they live. Known ones cost a look-up; cheap enough for every turn of the pump. */
  observe(_seen: readonly SampledProcess[]): void {}

  /** The resource of a process. Equal resources are the same frozen object, so identity can be compared by `===`. */
  attributesOf(_process: SampledProcess): Attributes {
    return this.host()
  }

  /** host.*, os.* and OTEL_RESOURCE_ATTRIBUTES: part of every resource. */
  host(): Attributes {
    return {}
  }

  stats(): IdentityStats {
    return { processes: 0, resources: 0, sources: {}, failures: {}, pods: 0, kubernetesFault: '' }
  }

  /** Ends the watch of the API server. Safe twice. */
  close(): void {}
}
