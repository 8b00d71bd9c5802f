/**
 * The programs of test/truth, which know where their CPU time went: built on first use into build/truth, started beside
 * a test and ended with it.
 */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { packageRoot } from '../../src/native/addon.ts'
import { scratchDirectory } from './profile-run.ts'

/** A program or library that test/truth/build.sh makes. */
export type TruthProgram =
  | 'split'
  | 'split-shifted'
  | 'lockstep'
  | 'threads'
  | 'families'
  | 'kernel'
  | 'odd'
  | 'loader'
  | 'plugin.so'
  | BareProgram
  | `hop-${number}.so`

/** Those without frame pointers. */
type BareProgram =
  | `callbacks${'' | '-static' | '-static-pie' | '-stripped' | '-musl' | '-musl-static'}`
  | 'exceptions'
  | 'realigned'
  | `deep${'' | '-musl' | '-musl-static'}`
  | 'clones'
  | 'contexts'
  | 'swapper'
  | `swapped-${'a' | 'b'}.so`
  | 'jitted'
  | 'lazy'
  | `lazy-${'callees' | 'calls'}.so`
  | 'wild'
  | 'storm'
  | `brief-${'a' | 'b'}`
  | 'hops'
  | 'cold_call'

let isBuilt = false

/** Absolute path of a program; the first call in a process brings all of them up to date. */
export function truthProgram(name: TruthProgram): string {
  const directory = join(packageRoot(), 'build/truth')
  if (!isBuilt) {
    execFileSync('sh', [join(packageRoot(), 'test/truth/build.sh'), directory], { stdio: 'inherit' })
    isBuilt = true
  }
  return join(directory, name)
}

/** A copy of a program whose threads have a name of their own (15 characters): other tests run the same programs. */
export function truthCopy(name: TruthProgram): string {
  const path = join(scratchDirectory(), `${name.slice(0, 7)}-${process.pid}`)
  copyFileSync(truthProgram(name), path)
  return path
}

/** A process that runs beside a test. */
export interface Companion {
  readonly pid: number
  readonly stdin: Writable
  /** Resolves with the first line on standard output that contains `text`; fails when the process ends before. */
  line(text: string): Promise<string>
  /** Standard output as JSON once the process has ended by itself. */
  json(): Promise<Readonly<Record<string, number>>>
  /** Waits for its end. */
  end(): Promise<void>
  /** Kills it and waits for its end. Safe to call twice. */
  stop(): Promise<void>
}

/** Starts any command; its standard error goes to ours. */
export function startCompanion(command: string, args: readonly string[], cwd?: string): Companion {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...(cwd ? { cwd } : {}) })
  return companionOf(child, `${command} ${args.join(' ')}`)
}

/** Starts a truth program. */
export function startTruth(name: TruthProgram, ...args: string[]): Companion {
  return startCompanion(truthProgram(name), args)
}

function companionOf(child: ChildProcessByStdio<Writable, Readable, null>, what: string): Companion {
  let output = ''
  const ended = once(child, 'close')
  child.stdin.on('error', () => {}) // it may end without reading
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return {
    pid: child.pid!,
    stdin: child.stdin,
    async line(text) {
      for (;;) {
        const found = output.split('\n').find((line) => line.includes(text))
        if (found !== undefined) return found
        const next = await Promise.race([once(child.stdout, 'data'), ended.then(() => null)])
        if (next === null && !output.includes(text))
          assert.fail(`${what} ended before it printed "${text}": ${output}`)
      }
    },
    async json() {
      const [code, signal] = await ended
      assert.equal(signal ?? code, 0, `${what} ended with ${signal ?? code}`)
      return JSON.parse(output)
    },
    async end() {
      await ended
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}
