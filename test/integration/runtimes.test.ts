/**
 * Real programs of other languages, launched for a few seconds: the files open in the tools they are made for, native
 * functions of the runtime are named, and where the language's own are not, a note says how to get them.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { skipUnless } from '../helpers/host.ts'
import { assertOpens } from '../helpers/pprof-tool.ts'
import { type ProfileRun, runProfile, scratchDirectory } from '../helpers/profile-run.ts'
import { namedStacks } from '../helpers/stacks.ts'

/** Profiles a command and checks what holds for every language. */
async function profileCommand(command: readonly string[], cwd: string): Promise<ProfileRun> {
  const run = await runProfile(['-F', '199', '--', ...command], { cwd })
  assertOpens(run.directory)
  assert.doesNotMatch(run.folded, /<invalid>/)
  return run
}

/** Names of all frames of the modules that match. */
function namesIn({ profile }: ProfileRun, module: RegExp): Set<string> {
  const frames = namedStacks(profile).flatMap((stack) => stack.frames)
  return new Set(frames.filter((frame) => frame.isNamed && module.test(frame.module)).map(({ name }) => name))
}

function assertHas(names: ReadonlySet<string>, pattern: RegExp): void {
  assert.ok(
    [...names].some((name) => pattern.test(name)),
    `no name matches ${pattern}: ${[...names].slice(0, 40).join(', ')}`,
  )
}

/** A scratch directory with one source file in it. */
function sourceDirectory(name: string, text: string): string {
  const directory = scratchDirectory()
  writeFileSync(join(directory, name), text)
  return directory
}

const NODE_SOURCE = `
function busyNumbers(n) { let x = 0; for (let i = 0; i < n; i++) x = (x * 31 + i) | 0; return x }
const end = Date.now() + 2000
while (Date.now() < end) { busyNumbers(1e6); JSON.parse(JSON.stringify(Array.from({ length: 2000 }, (_, i) => ({ i })))) }
`
const PYTHON_SOURCE = `
import time
def busy_numbers(n):
    x = 0
    for i in range(n):
        x = (x * 31 + i) % 65537
    return x
end = time.time() + 2
while time.time() < end:
    busy_numbers(100000)
`
const RUST_SOURCE = `
mod engine {
    #[inline(never)]
    pub fn churn<T: Copy + Into<u64>>(values: &[T], rounds: u64) -> u64 {
        let mut sum = 0u64;
        for round in 0..rounds { for v in values { sum = sum.rotate_left(5) ^ (*v).into().wrapping_mul(round | 1); } }
        sum
    }
}
fn main() {
    let values: Vec<u32> = (0..4096).collect();
    let start = std::time::Instant::now();
    let mut sum = 0;
    while start.elapsed().as_secs_f64() < 2.0 { sum ^= engine::churn(&values, 100); }
    println!("{}", sum);
}
`
const GO_SOURCE = `package main
import ("fmt"; "time")
//go:noinline
func churn(n int) int { x := 0; for i := 0; i < n; i++ { x = x*31 + i }; return x }
func main() { end := time.Now().Add(2 * time.Second); x := 0
  for time.Now().Before(end) { x += churn(1000000) }; fmt.Println(x) }
`
const JAVA_SOURCE = `public class Busy {
  static long churn(int n) { long x = 0; for (int i = 0; i < n; i++) x = x * 31 + Integer.toString(i).hashCode(); return x; }
  public static void main(String[] a) { long end = System.currentTimeMillis() + 3000, x = 0;
    while (System.currentTimeMillis() < end) x += churn(100000); System.out.println(x); }
}
`

/** Whether python3 can show its functions to an unwinder that follows frame pointers. */
function pythonShowsFunctions(): boolean {
  if (skipUnless('python3') !== false) return false
  const flags = "(sysconfig.get_config_var('CFLAGS') or '')"
  const code = `import sys, sysconfig; print(sys.version_info >= (3, 12) and '-fno-omit-frame-pointer' in ${flags})`
  return execFileSync('python3', ['-c', code]).toString().trim() === 'True'
}

describe('programs of other languages', () => {
  it('node: names V8, and says how to get JavaScript names', { skip: skipUnless('node') }, async () => {
    const run = await profileCommand(['node', 'app.js'], sourceDirectory('app.js', NODE_SOURCE))
    assertHas(namesIn(run, /^node$/), /^v8::/)
    assert.ok(
      run.report.notes.some((note) => note.includes('--perf-basic-prof')),
      run.report.notes.join('\n'),
    )
  })

  it('node --perf-basic-prof: names JavaScript functions', { skip: skipUnless('node') }, async () => {
    const directory = sourceDirectory('app.js', NODE_SOURCE)
    const run = await profileCommand(['node', '--perf-basic-prof', 'app.js'], directory)
    assert.match(run.folded, /busyNumbers/)
    const jit = namedStacks(run.profile).flatMap(({ frames }) => frames.filter(({ kind }) => kind === 'jit'))
    assert.ok(jit.filter(({ isNamed }) => isNamed).length > 0.8 * jit.length)
  })

  it('python: names the interpreter, and says how to get Python names', {
    skip: skipUnless('python3'),
  }, async () => {
    const run = await profileCommand(['python3', 'app.py'], sourceDirectory('app.py', PYTHON_SOURCE))
    assertHas(namesIn(run, /python/), /^_PyEval_EvalFrameDefault/)
    assert.ok(
      run.report.notes.some((note) => note.includes('-X perf')),
      run.report.notes.join('\n'),
    )
  })

  it('python -X perf: names Python functions', {
    skip: !pythonShowsFunctions() && 'needs python3 of 3.12 or later, built with frame pointers',
  }, async () => {
    const directory = sourceDirectory('app.py', PYTHON_SOURCE)
    const run = await profileCommand(['python3', '-X', 'perf', 'app.py'], directory)
    assert.match(run.folded, /py::busy_numbers/)
  })

  it('rustc: names the compiler while it compiles', { skip: skipUnless('rustc') }, async () => {
    const directory = sourceDirectory('main.rs', RUST_SOURCE)
    const run = await profileCommand(['rustc', '-O', 'main.rs', '-o', 'program'], directory)
    const names = namesIn(run, /^librustc_driver/)
    assertHas(names, /^rustc_\w+::|^<rustc_\w+::/)
    assert.ok(![...names].some((name) => /^_R|^_ZN/.test(name)), 'the names are demangled')
  })

  it('rust: names a program built with frame pointers', { skip: skipUnless('rustc') }, async () => {
    const directory = sourceDirectory('main.rs', RUST_SOURCE)
    execFileSync('rustc', ['-O', '-C', 'force-frame-pointers=yes', 'main.rs', '-o', 'program'], {
      cwd: directory,
    })
    const run = await profileCommand(['./program'], directory)
    assert.match(run.folded, /engine::churn/)
  })

  it('go: names Go functions by file and line', { skip: skipUnless('go') }, async () => {
    const directory = sourceDirectory('main.go', GO_SOURCE)
    execFileSync('go', ['build', '-o', 'program', 'main.go'], { cwd: directory })
    const run = await profileCommand(['./program'], directory)
    assertHas(namesIn(run, /^program$/), /^main\.churn$/)
    const churn = run.report.top.find(({ name }) => name === 'main.churn')
    assert.match(churn?.file ?? '', /main\.go$/)
  })

  it('java: names the virtual machine, and says how to get Java names', {
    skip: skipUnless('java', 'javac'),
  }, async () => {
    const directory = sourceDirectory('Busy.java', JAVA_SOURCE)
    execFileSync('javac', ['Busy.java'], { cwd: directory })
    const run = await profileCommand(['java', 'Busy'], directory)
    assertHas(namesIn(run, /^libjvm/), /Compile|Interpreter|JavaMain|Java/)
    assert.ok(
      run.report.notes.some((note) => /java/i.test(note)),
      run.report.notes.join('\n'),
    )
  })
})
