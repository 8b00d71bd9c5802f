/** Language runtimes that make code at run time: how to tell them, and how each writes a perf map for profilers. */

export interface Runtime {
  readonly name: string
  /** Matches the name of its processes. */
  readonly comm: RegExp
  /** Matches the path of a file that only this runtime's processes run code of. */
  readonly file: RegExp
  /** What makes its functions visible. */
  readonly remedy: string
}

export const RUNTIMES: readonly Runtime[] = [
  {
    name: 'node',
    comm: /^node/,
    file: /\/node$|\/nodejs$|\/libnode\.so/,
    remedy: 'start it with `node --perf-basic-prof`',
  },
  {
    name: 'java',
    comm: /^java/,
    file: /\/libjvm\.so/,
    remedy:
      'run `jcmd PID Compiler.perfmap` while it runs, or start it with `-XX:+DumpPerfMapAtExit` (JDK 17+), or load a perf-map agent',
  },
  {
    name: 'python',
    comm: /^python|^pypy/,
    file: /\/python[\d.]*$|\/libpython[\d.]*\.so/,
    remedy: 'start it with `python -X perf` (3.12+)',
  },
  {
    name: '.NET',
    comm: /^dotnet/,
    file: /\/libcoreclr\.so/,
    remedy: 'start it with `DOTNET_PerfMapEnabled=1` in its environment',
  },
  {
    name: 'ruby',
    comm: /^ruby/,
    file: /\/ruby[\d.]*$|\/libruby[\w.-]*\.so/,
    remedy: 'start it with `ruby --yjit --yjit-perf=map`',
  },
  {
    name: 'php',
    comm: /^php/,
    file: /\/php(-fpm)?[\d.]*$|\/libphp[\d.]*\.so/,
    remedy: 'start it with `-d opcache.jit_debug=0x10`',
  },
]
