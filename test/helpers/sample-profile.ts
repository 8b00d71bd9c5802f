/** Profiles for tests of the page: a believable node server, and trees of any size and shape. Repeatable. */
import type {
  CaptureReport,
  FrameKind,
  Line,
  Location,
  Mapping,
  Profile,
  ProfileFunction,
} from '../../src/model/profile.ts'

/** Numbers in [0, 1) that are the same on each run (mulberry32's recurrence is not needed: xorshift will do). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** `name|module|kind|file:line`, the last three optional; `+name` is inlined into the frame before it. */
type FrameText = string

/** A profile of stacks written root first; `count` samples each. */
export function profileOf(
  stacks: readonly { readonly frames: readonly FrameText[]; readonly count: number }[],
  capture: CaptureReport | null = null,
): Profile {
  const tables = new Tables()
  const rows: { stack: number; count: number }[] = []
  for (const { frames, count } of stacks) rows.push({ stack: tables.stack(frames), count })
  const counts = Float64Array.from(rows, (row) => row.count)
  return {
    sampleTypes: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    defaultSampleType: 1,
    periodType: { type: 'cpu', unit: 'nanoseconds' },
    period: 10_101_010n,
    timeNs: 1_790_000_000_000_000_000n,
    durationNs: 10_000_000_000n,
    mappings: tables.mappings,
    functions: tables.functions,
    locations: tables.locations,
    stacks: { parent: Int32Array.from(tables.parent), location: Int32Array.from(tables.location) },
    samples: {
      stack: Int32Array.from(rows, (row) => row.stack),
      labelSet: new Int32Array(rows.length),
      timeNs: null,
      values: [counts, counts.map((count) => count * 10_101_010)],
    },
    labelSets: [[{ key: 'thread', str: 'main' }]],
    comments: ['made for a test'],
    dropFrames: '',
    keepFrames: '',
    docUrl: '',
    capture,
  }
}

/** The growing tables behind `profileOf`; one location for each distinct run of inlined frames. */
class Tables {
  readonly mappings: Mapping[] = []
  readonly functions: ProfileFunction[] = []
  readonly locations: Location[] = []
  readonly parent: number[] = []
  readonly location: number[] = []
  readonly #ids = new Map<string, number>()

  stack(frames: readonly FrameText[]): number {
    let node = -1
    for (let i = 0; i < frames.length; ) {
      const run = [frames[i]!]
      while (frames[i + run.length]?.startsWith('+')) run.push(frames[i + run.length]!)
      i += run.length
      const above = node
      const location = this.#location(run)
      node = this.#once(`stack ${above} ${location}`, () => {
        this.location.push(location)
        return this.parent.push(above) - 1
      })
    }
    return node
  }

  #location(run: readonly FrameText[]): number {
    return this.#once(`location ${run.join('\n')}`, () => {
      const [, module = '', kind = 'native'] = run[0]!.split('|')
      const id = this.locations.length
      const isUnnamed = run[0]!.startsWith('|')
      const lines = isUnnamed ? [] : run.map((frame) => this.#line(frame)).reverse()
      const mapping = module === '' ? -1 : this.#mapping(module)
      const address = 0x1000n + BigInt(id) * 16n + (mapping < 0 ? 0n : this.mappings[mapping]!.start)
      const unnamedReason = isUnnamed ? 'no_symbols' : ''
      this.locations.push({
        mapping,
        address,
        lines,
        isFolded: false,
        kind: (kind || 'native') as FrameKind,
        unnamedReason,
      })
      return id
    })
  }

  #line(frame: FrameText): Line {
    const [name = '', , , place = ''] = frame.replace(/^\+/, '').split('|')
    const [fileName = '', line = '0'] = place.split(':')
    const fn = this.#once(`function ${name} ${fileName}`, () => {
      return this.functions.push({ name, systemName: name, fileName, startLine: Number(line) }) - 1
    })
    return { function: fn, line: Number(line), column: 0 }
  }

  #mapping(fileName: string): number {
    return this.#once(`mapping ${fileName}`, () => {
      const start = BigInt(this.mappings.length + 1) << 32n
      const has = { hasFunctions: true, hasFilenames: true, hasLineNumbers: true, hasInlineFrames: true }
      return (
        this.mappings.push({
          start,
          limit: start + (1n << 32n),
          fileOffset: 0n,
          fileName,
          buildId: '',
          ...has,
        }) - 1
      )
    })
  }

  #once(key: string, make: () => number): number {
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = make()
    this.#ids.set(key, id)
    return id
  }
}

/** A capture report of a healthy ten seconds. */
export const HEALTHY_CAPTURE: CaptureReport = {
  target: { kind: 'pids', name: 'node', pids: [4242] },
  host: { name: 'build-7', kernel: '6.1.0', arch: 'x86_64', cpus: 8 },
  event: 'cpu-clock',
  rateHz: 99,
  durationNs: 10_000_000_000,
  samples: { captured: 1812, kept: 1812, dropped: {} },
  stacks: { complete: 1778, approximate: 20, truncated: { depth: 14 } },
  frames: { named: 24_100, unnamed: { no_symbols: 120, jit: 25 } },
  overhead: { bpfRuns: 7248, bpfTimeNs: 9_100_000, cpuNs: 31_000_000, rssBytes: 74_000_000 },
  timing: { startToFirstSampleNs: 181_000_000, lastSampleToFilesNs: 240_000_000 },
  notes: ['25 frames of node are code made at run time: start it with --perf-basic-prof to see their names.'],
}

const NODE = '/usr/bin/node'
const LIBC = '/usr/lib/x86_64-linux-gnu/libc.so.6'
const ZLIB = '/usr/lib/x86_64-linux-gnu/libz.so.1'
const KERNEL = '[kernel.kallsyms]'

/** A node server that parses, routes, compresses and writes; about 1 800 samples over some hundred stacks. */
export function nodeServerProfile(): Profile {
  const js = (name: string, place: string): string => `${name}|//anon|jit|${place}`
  const start = [
    `_start|${NODE}`,
    `__libc_start_main|${LIBC}`,
    `main|${NODE}`,
    `node::Start|${NODE}||src/node.cc:1103`,
    `uv_run|${NODE}`,
  ]
  const read = [
    ...start,
    `uv__io_poll|${NODE}`,
    `uv__stream_io|${NODE}`,
    `node::LibuvStreamWrap::OnUvRead|${NODE}`,
    `v8::Function::Call|${NODE}`,
    js('onStreamRead', 'node:internal/stream:190'),
    js('handleRequest', '/srv/app/server.js:41'),
  ]
  const kernel = (...names: string[]): string[] => names.map((name) => `${name}|${KERNEL}|kernel`)
  const parse = [...read, js('decodeBody', '/srv/app/body.js:12'), js('parseJson', '/srv/app/json.js:88')]
  const cart = [...read, js('route', '/srv/app/router.js:7'), js('renderCart', '/srv/app/cart.js:60')]
  const write = [...read, js('socketWrite', 'node:net:900'), `uv__write|${NODE}`, `writev|${LIBC}`]
  const heavy: [string[], number][] = [
    [
      [
        ...parse,
        `JSON.parse|${NODE}`,
        `v8::internal::JsonParser::ParseJsonValue|${NODE}`,
        `+v8::internal::JsonParser::ScanString|${NODE}`,
      ],
      118,
    ],
    [
      [
        ...parse,
        `JSON.parse|${NODE}`,
        `v8::internal::JsonParser::ParseJsonValue|${NODE}`,
        `v8::internal::Factory::NewStringFromUtf8|${NODE}`,
      ],
      78,
    ],
    [[...parse, js('reviver', '/srv/app/json.js:101'), `Date.parse|${NODE}`], 51],
    [[...parse], 112],
    [[...read, js('decodeBody', '/srv/app/body.js:12'), `simdutf::convert_utf8|${NODE}`], 54],
    [
      [
        ...cart,
        `Array.map|${NODE}`,
        js('priceOf', '/srv/app/price.js:9'),
        js('applyDiscount', '/srv/app/price.js:31'),
      ],
      87,
    ],
    [
      [
        ...cart,
        `Array.map|${NODE}`,
        js('formatMoney', '/srv/app/money.js:3'),
        `Intl.NumberFormat.format|${NODE}`,
      ],
      45,
    ],
    [[...cart, `Array.map|${NODE}`, js('priceOf', '/srv/app/price.js:9')], 42],
    [
      [
        ...read,
        js('route', '/srv/app/router.js:7'),
        js('checkSession', '/srv/app/auth.js:22'),
        `hmacSha256|${NODE}`,
        `sha256_block_data_order_avx2|${NODE}`,
      ],
      81,
    ],
    [
      [
        ...read,
        js('compress', '/srv/app/gzip.js:5'),
        `zlib.deflateSync|${NODE}`,
        `deflate|${ZLIB}`,
        `deflate_slow|${ZLIB}`,
        `+longest_match|${ZLIB}`,
      ],
      117,
    ],
    [
      [
        ...read,
        js('compress', '/srv/app/gzip.js:5'),
        `zlib.deflateSync|${NODE}`,
        `deflate|${ZLIB}`,
        `deflate_slow|${ZLIB}`,
      ],
      22,
    ],
    [
      [
        ...write,
        ...kernel('entry_SYSCALL_64', 'do_syscall_64', 'tcp_sendmsg', 'tcp_write_xmit', 'ip_queue_xmit'),
      ],
      60,
    ],
    [[...write, ...kernel('entry_SYSCALL_64', 'do_syscall_64')], 24],
    [
      [
        ...start,
        `uv__io_poll|${NODE}`,
        `epoll_pwait|${LIBC}`,
        ...kernel('entry_SYSCALL_64', 'do_epoll_wait', 'schedule_hrtimeout_range'),
      ],
      68,
    ],
    [
      [
        ...start,
        `uv__run_timers|${NODE}`,
        js('processTimers', 'node:internal/timers:500'),
        js('flushMetrics', '/srv/app/metrics.js:14'),
        js('sumHistogram', '/srv/app/metrics.js:70'),
      ],
      150,
    ],
    [
      [
        ...start,
        `uv__run_timers|${NODE}`,
        js('processTimers', 'node:internal/timers:500'),
        js('expireSessions', '/srv/app/auth.js:90'),
      ],
      38,
    ],
    [
      [
        `start_thread|${LIBC}`,
        `v8::platform::WorkerThread::Run|${NODE}`,
        `v8::internal::ConcurrentMarking::Run|${NODE}`,
        `v8::internal::MarkingVisitor::Visit|${NODE}`,
      ],
      99,
    ],
    [[`start_thread|${LIBC}`, `v8::platform::WorkerThread::Run|${NODE}`, '|/usr/bin/node'], 25],
  ]
  const random = randomNumbers(7)
  const stacks = heavy.map(([frames, count]) => ({ frames, count }))
  // Light side paths make the small frames that a real profile is full of.
  for (let i = 0; i < 420; i++) {
    const [frames] = heavy[Math.floor(random() * heavy.length)]!
    const at = 3 + Math.floor(random() * (frames.length - 3))
    const side = Array.from(
      { length: 1 + Math.floor(random() * 4) },
      () => `v8::internal::Runtime_${Math.floor(random() * 60)}|${NODE}`,
    )
    stacks.push({ frames: [...frames.slice(0, at), ...side], count: 1 + Math.floor(random() * 2) })
  }
  return profileOf(stacks, HEALTHY_CAPTURE)
}

/** A skewed tree of about `nodes` stack nodes over 20 000 functions: what a large fleet profile looks like. */
export function largeProfile(nodes: number): Profile {
  const random = randomNumbers(11)
  const functionCount = Math.min(20_000, Math.max(10, nodes >> 3))
  const functions: ProfileFunction[] = []
  const locations: Location[] = []
  for (let f = 0; f < functionCount; f++) {
    const name = `service::module_${f % 97}::Component${f % 331}::operation_${f}`
    functions.push({ name, systemName: '', fileName: `src/module_${f % 97}.cc`, startLine: 1 + (f % 900) })
    locations.push({
      mapping: f % 12,
      address: BigInt(f * 16),
      lines: [{ function: f, line: 1, column: 0 }],
      isFolded: false,
      kind: f % 23 === 0 ? 'kernel' : 'native',
      unnamedReason: '',
    })
  }
  const mappings = Array.from(
    { length: 12 },
    (_, i): Mapping => ({
      start: 0n,
      limit: 1n << 40n,
      fileOffset: 0n,
      fileName: `/opt/service/lib/libpart_${i}.so`,
      buildId: '',
      hasFunctions: true,
      hasFilenames: true,
      hasLineNumbers: true,
      hasInlineFrames: false,
    }),
  )
  const parent = new Int32Array(nodes)
  const location = new Int32Array(nodes)
  const depth = new Int32Array(nodes)
  // Each node hangs below a recent one, or below any: long chains with bushes, at most 80 deep.
  for (let i = 0; i < nodes; i++) {
    let above = i < 4 ? -1 : random() < 0.75 ? i - 1 : Math.floor(i * random() ** 2)
    while (above >= 0 && depth[above]! >= 80) above = parent[above]!
    parent[i] = above
    depth[i] = above < 0 ? 1 : depth[above]! + 1
    location[i] = Math.floor(functionCount * random() ** 2)
  }
  const counts = Float64Array.from({ length: nodes }, () => Math.max(1, Math.floor(0.2 / (random() + 1e-4))))
  return {
    ...profileOf([]),
    mappings,
    functions,
    locations,
    stacks: { parent, location },
    samples: {
      stack: Int32Array.from({ length: nodes }, (_, i) => i),
      labelSet: new Int32Array(nodes),
      timeNs: null,
      values: [counts, counts.map((n) => n * 10_101_010)],
    },
  }
}
