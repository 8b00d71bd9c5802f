/**
 * Every key of the agent's configuration, once. The environment variable and the flag follow from the path, and the
 * loader, `--print-config`, the JSON schema, the completions and docs/configuration.md read nothing else.
 */
import { LOG_FORMATS } from '../log/format.ts'
import { LOG_LEVELS } from '../log/record.ts'
import { COMPRESSIONS, FSYNC_POLICIES, PROTOCOLS, SWITCHES, TELEMETRY_SIGNALS } from './config.ts'
import type { KeyType } from './key-type.ts'

/** What has to be started anew when a key changes; 'rate' and 'log' only take the new value. */
export const STAGES = [
  'capture',
  'rate',
  'governor',
  'exporter',
  'server',
  'recorder',
  'identity',
  'telemetry',
  'memory',
  'log',
  'shutdown',
] as const
export type Stage = (typeof STAGES)[number]

export interface KeySpec {
  /** Dotted, as in the file: `queue.maxBytes`. */
  readonly path: string
  readonly type: KeyType
  /** As one would write it; '' for lists and maps is the empty one. */
  readonly fallback: string
  readonly help: string
  readonly stage: Stage
  /** In a list of maps: where it is not given, it is not there. */
  readonly optional?: true
  /** Never printed, logged or put into an error. */
  readonly secret?: true
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const MIB = 2 ** 20
const GIB = 2 ** 30

const duration = (min: number, max: number): KeyType => ({ kind: 'duration', min, max })
const bytes = (min: number, max: number): KeyType => ({ kind: 'bytes', min, max })
const percent = (min: number, max: number): KeyType => ({ kind: 'percent', min, max })
const integer = (min: number, max: number): KeyType => ({ kind: 'integer', min, max })
const oneOf = (values: readonly string[]): KeyType => ({ kind: 'enum', values })
const BOOLEAN: KeyType = { kind: 'boolean' }
const STRING: KeyType = { kind: 'string' }
const PATH: KeyType = { kind: 'path' }
const CGROUP: KeyType = { kind: 'cgroup' }
const ENDPOINT: KeyType = { kind: 'endpoint' }
const MAP: KeyType = { kind: 'map' }
const listOf = (of: KeyType): KeyType => ({ kind: 'list', of })

/** What a destination has, below `exporter.` for the only one, in `destinations[]` for several. */
function destinationKeys(prefix: string): readonly KeySpec[] {
  const key = (path: string, type: KeyType, fallback: string, help: string): KeySpec => ({
    path: prefix + path,
    type,
    fallback,
    help,
    stage: 'exporter',
  })
  return [
    key(
      'endpoint',
      ENDPOINT,
      '',
      'where OTLP profiles go; HTTP appends /v1development/profiles (default http://localhost:4318, gRPC :4317)',
    ),
    key('protocol', oneOf(PROTOCOLS), 'http/protobuf', 'how they are sent'),
    {
      ...key('headers', MAP, '', 'headers of every request, as KEY=VALUE,KEY=VALUE or a map'),
      secret: true,
    },
    key('compression', oneOf(COMPRESSIONS), 'gzip', 'of the request bodies'),
    key('timeout', duration(10, 10 * MINUTE), '10s', 'of one attempt'),
    key('concurrency', integer(1, 32), '2', 'requests in flight at once'),
    key('retry.initialInterval', duration(10, MINUTE), '1s', 'before the second attempt, about'),
    key('retry.maxInterval', duration(10, HOUR), '30s', 'between two attempts, about'),
    key('retry.maxElapsed', duration(0, 7 * 24 * HOUR), '0s', 'give a request up after this; 0s: never'),
    {
      ...key('proxy', STRING, '', 'URL of a proxy (default: HTTP_PROXY, HTTPS_PROXY and NO_PROXY)'),
      secret: true,
    },
    key('keepalive', duration(0, HOUR), '0s', 'between pings of an idle gRPC connection; 0s: none'),
    key('tls.ca', PATH, '', 'PEM file of the authorities to trust (default: those of Node)'),
    key('tls.cert', PATH, '', 'PEM file of our certificate, for mutual TLS'),
    key('tls.key', PATH, '', 'PEM file of its private key'),
    key('tls.serverName', STRING, '', "name to expect in the server's certificate"),
    key('tls.insecureSkipVerify', BOOLEAN, 'false', "do not check the server's certificate (for tests)"),
  ]
}

/** The keys of one entry of `destinations`. */
export const DESTINATION_KEYS: readonly KeySpec[] = [
  {
    path: 'name',
    type: STRING,
    fallback: '',
    help: 'in logs, metrics and the queue; unique (default: its place in the list)',
    stage: 'exporter',
  },
  ...destinationKeys(''),
]

/** Ways to name the target of a rate; one for each key of `filter`. */
export const RATE_SELECTORS = ['cgroup', 'pidNamespace', 'comm', 'pid'] as const
const RATE_RULES_MAX = 16

const rateKey = (path: string, type: KeyType, help: string): KeySpec => ({
  path,
  type,
  fallback: '',
  help,
  stage: 'capture',
  optional: true,
})

/** The keys of one entry of `rates`. */
export const RATE_KEYS: readonly KeySpec[] = [
  rateKey('cgroup', CGROUP, 'processes in this cgroup (v2) and below, by the path under /sys/fs/cgroup'),
  rateKey(
    'pidNamespace',
    integer(1, 2 ** 32 - 1),
    'processes in this pid namespace, by the inode of /proc/PID/ns/pid',
  ),
  rateKey('comm', STRING, 'threads of this name (15 bytes)'),
  rateKey('pid', integer(1, 2 ** 22), 'this process and its children'),
  rateKey('rate', integer(0, 999), 'samples a second and CPU; 0: none'),
]

/** In the order of docs/configuration.md. */
export const KEYS: readonly KeySpec[] = [
  {
    path: 'rate',
    type: integer(1, 999),
    fallback: '19',
    help: 'samples a second and CPU',
    stage: 'rate',
  },
  {
    path: 'rates',
    type: {
      kind: 'records',
      fields: RATE_KEYS,
      noun: 'rates',
      required: ['rate'],
      oneOf: RATE_SELECTORS,
      itemsMax: RATE_RULES_MAX,
    },
    fallback: '',
    help: 'targets with another rate, each by one of cgroup, pidNamespace, comm or pid: the first that holds decides; at most 16',
    stage: 'capture',
  },
  {
    path: 'window',
    type: duration(SECOND, 10 * MINUTE),
    fallback: '10s',
    help: 'length of one profile',
    stage: 'capture',
  },
  {
    path: 'jitter',
    type: percent(0, 0.5),
    fallback: '20%',
    help: 'how much of the window its end varies at random, so that the nodes of a cluster do not send at once',
    stage: 'capture',
  },
  { path: 'kernelStacks', type: BOOLEAN, fallback: 'true', help: 'with kernel frames', stage: 'capture' },
  {
    path: 'filter.pids',
    type: listOf(integer(1, 2 ** 22)),
    fallback: '',
    help: 'only these processes and their later children',
    stage: 'capture',
  },
  {
    path: 'filter.cgroups',
    type: listOf(CGROUP),
    fallback: '',
    help: 'only processes in these cgroups (v2) and below, by the path under /sys/fs/cgroup',
    stage: 'capture',
  },
  {
    path: 'filter.comms',
    type: listOf(STRING),
    fallback: '',
    help: 'only threads of these names (15 bytes)',
    stage: 'capture',
  },
  {
    path: 'filter.pidNamespaces',
    type: listOf(integer(1, 2 ** 32 - 1)),
    fallback: '',
    help: 'only processes in these pid namespaces, by the inode of /proc/PID/ns/pid',
    stage: 'capture',
  },
  {
    path: 'maxOverhead',
    type: percent(0.001, 1),
    fallback: '1%',
    help: 'of the CPU time of all CPUs, our BPF programs included: above it the governor lowers the rate',
    stage: 'governor',
  },
  {
    path: 'memoryLimit',
    type: bytes(64 * MIB, 64 * GIB),
    fallback: '256MiB',
    help: 'resident memory and BPF maps; from 80 % of it on caches shrink, above it windows are dropped and counted',
    stage: 'memory',
  },
  ...destinationKeys('exporter.'),
  {
    path: 'destinations',
    type: {
      kind: 'records',
      fields: DESTINATION_KEYS,
      noun: 'destinations',
      required: ['endpoint'],
      oneOf: [],
      itemsMax: 1024,
    },
    fallback: '',
    help: 'several places instead of exporter.*, which do not wait for one another',
    stage: 'exporter',
  },
  {
    path: 'maxRequestBytes',
    type: bytes(64 * 1024, 64 * MIB),
    fallback: '3MiB',
    help: 'one request, before compression; gRPC servers refuse more than 4 MiB unless told otherwise',
    stage: 'exporter',
  },
  {
    path: 'queue.dir',
    type: PATH,
    fallback: '/var/lib/emberscope/queue',
    help: 'where profiles wait on disk until they are sent',
    stage: 'exporter',
  },
  {
    path: 'queue.maxBytes',
    type: bytes(MIB, 1024 * GIB),
    fallback: '512MiB',
    help: 'of the queue; above it the oldest are dropped and counted',
    stage: 'exporter',
  },
  {
    path: 'queue.fsync',
    type: oneOf(FSYNC_POLICIES),
    fallback: 'batch',
    help: 'batch: a window is on the disk before it counts as accepted; interval: within a second; never: when the kernel likes',
    stage: 'exporter',
  },
  {
    path: 'listen',
    type: { kind: 'listen' },
    fallback: '127.0.0.1:9464',
    help: 'metrics, health and the page: HOST:PORT, :PORT for all interfaces, or off',
    stage: 'server',
  },
  {
    path: 'token',
    type: STRING,
    fallback: '',
    help: 'secret of the page (default: a new one at every start; profile agent --page tells it)',
    stage: 'server',
    secret: true,
  },
  {
    path: 'runDir',
    type: PATH,
    fallback: '/run/emberscope',
    help: 'where commands on this host find the agent',
    stage: 'server',
  },
  {
    path: 'recorder.duration',
    type: duration(10 * SECOND, 24 * HOUR),
    fallback: '15m',
    help: 'how far back the flight recorder remembers',
    stage: 'recorder',
  },
  {
    path: 'recorder.maxBytes',
    type: bytes(MIB, GIB),
    fallback: '16MiB',
    help: 'of memory it may take',
    stage: 'recorder',
  },
  {
    path: 'kubernetes.metadata',
    type: oneOf(SWITCHES),
    fallback: 'auto',
    help: 'ask the API server who the pods of this node are; auto: where a service account is mounted',
    stage: 'identity',
  },
  {
    path: 'kubernetes.nodeName',
    type: STRING,
    fallback: '',
    help: 'name of this node (in the chart from spec.nodeName)',
    stage: 'identity',
  },
  {
    path: 'kubernetes.labels',
    type: listOf(STRING),
    fallback: '',
    help: 'labels of pods that become k8s.pod.label.KEY',
    stage: 'identity',
  },
  {
    path: 'kubernetes.annotations',
    type: listOf(STRING),
    fallback: '',
    help: 'annotations of pods that become k8s.pod.annotation.KEY',
    stage: 'identity',
  },
  {
    path: 'kubernetes.serviceFromLabels',
    type: BOOLEAN,
    fallback: 'false',
    help: 'let the labels app.kubernetes.io/* name services',
    stage: 'identity',
  },
  {
    path: 'kubernetes.apiServer',
    type: ENDPOINT,
    fallback: '',
    help: 'URL of the API server (default: that of the cluster we run in)',
    stage: 'identity',
  },
  {
    path: 'kubernetes.accountDir',
    type: PATH,
    fallback: '/var/run/secrets/kubernetes.io/serviceaccount',
    help: 'of the token and ca.crt for the API server',
    stage: 'identity',
  },
  {
    path: 'processContext',
    type: BOOLEAN,
    fallback: 'true',
    help: 'believe what processes publish of themselves (service.name and the like)',
    stage: 'identity',
  },
  {
    path: 'commandLine',
    type: BOOLEAN,
    fallback: 'false',
    help: 'with the command line of processes, which may hold secrets',
    stage: 'identity',
  },
  {
    path: 'resource.attributes',
    type: MAP,
    fallback: '',
    help: 'added to every profile where it has none of that name, such as deployment.environment.name',
    stage: 'identity',
  },
  {
    path: 'telemetry.signals',
    type: listOf(oneOf(TELEMETRY_SIGNALS)),
    fallback: '',
    help: 'what the agent tells the first destination of itself: metrics, logs, traces (default none; /metrics is there anyway)',
    stage: 'telemetry',
  },
  {
    path: 'telemetry.interval',
    type: duration(SECOND, HOUR),
    fallback: '60s',
    help: 'between two exports of these metrics',
    stage: 'telemetry',
  },
  {
    path: 'telemetry.serviceName',
    type: STRING,
    fallback: 'emberscope',
    help: 'service.name of the agent itself',
    stage: 'telemetry',
  },
  {
    path: 'shutdownTimeout',
    type: duration(100, 5 * MINUTE),
    fallback: '5s',
    help: 'for sending what is left after SIGTERM; the rest stays in the queue',
    stage: 'shutdown',
  },
  {
    path: 'logLevel',
    type: oneOf(LOG_LEVELS),
    fallback: 'info',
    help: 'least important message to print',
    stage: 'log',
  },
  {
    path: 'logFormat',
    type: oneOf(LOG_FORMATS),
    fallback: 'text',
    help: 'one line a message, on stderr',
    stage: 'log',
  },
]

/** 'queue.maxBytes' -> 'EMBERSCOPE_QUEUE_MAX_BYTES'. */
export function variableOf(path: string): string {
  return `EMBERSCOPE_${words(path).join('_').toUpperCase()}`
}

/** 'queue.maxBytes' -> 'queue-max-bytes', without its dashes in front; `--queue.maxBytes` is the same flag. */
export function flagOf(path: string): string {
  return words(path).join('-')
}

function words(path: string): string[] {
  return path
    .replace(/([a-z])([A-Z])/g, '$1.$2')
    .toLowerCase()
    .split('.')
}

/** The key a flag without dashes in front names, in either spelling. */
export function keyOfFlag(flag: string): KeySpec | undefined {
  return KEYS.find((key) => key.path === flag || flagOf(key.path) === flag)
}
