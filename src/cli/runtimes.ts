/** Language runtimes that make code at run time: how to tell them, and how each writes a perf map for profilers. */

export interface Runtime {
  readonly name: string
  /** Matches the path of the executable or of a mapped library. */
  readonly file: RegExp
  /** What makes its functions visible. */
  readonly remedy: string
}

export const RUNTIMES: readonly Runtime[] = [
  { name: 'Node.js', file: /\/(node|nodejs|electron)$/, remedy: 'start it with node --perf-basic-prof' },
  {
    name: 'Python',
    file: /\/(python3?(\.\d+)?|libpython3\S*\.so\S*)$/,
    remedy: 'start it with python3 -X perf (3.12 or later)',
  },
  { name: 'Java', file: /\/libjvm\.so$/, remedy: 'run: jcmd PID Compiler.perfmap (JDK 17 or later)' },
  { name: '.NET', file: /\/libcoreclr\.so$/, remedy: 'start it with DOTNET_PerfMapEnabled=1' },
  {
    name: 'Ruby',
    file: /\/(ruby\S*|libruby\S*\.so\S*)$/,
    remedy: 'start it with ruby --yjit --yjit-perf=map',
  },
  { name: 'PHP', file: /\/(php\S*|libphp\S*\.so\S*)$/, remedy: 'start it with -d opcache.jit_debug=0x10' },
]

/** The runtime behind some mapped files, null for plain native code. */
export function runtimeOf(paths: readonly string[]): Runtime | null {
  return RUNTIMES.find((runtime) => paths.some((path) => runtime.file.test(path))) ?? null
}
