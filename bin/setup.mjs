// The way in of a checkout, behind `npm start` and `npm test`: checks the machine, installs what is missing, builds
// what changed, then profiles or tests. Run again with nothing changed, it only compares digests (well under a second).
// It has no dependencies, because it runs before there are any. What it does not do: profile; that is bin/profile.
//   setup.mjs start [args…]   arguments go to `profile`; without any it profiles the demo program
//   setup.mjs test            the fast rings          setup.mjs ci       the slow rings after it, and the sum of all
//   setup.mjs ring NAME…      these rings, as built   setup.mjs native   compiles the native targets only
//   setup.mjs release         prebuilds/ for `npm pack`
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { checkKernel, checkNode, SetupFault } from './setup/host.mjs'
import { installPackages, missingPackages } from './setup/packages.mjs'
import { buildRelease } from './setup/release.mjs'
import { FAST_RINGS, forgetResults, reportTotal, runRings, SLOW_RINGS } from './setup/rings.mjs'
import { ROOT, say } from './setup/run.mjs'
import { bringUpToDate, buildNative } from './setup/steps.mjs'

const DEMO_SECONDS = 5
const EXIT_UNSUPPORTED = 3
const NOTEWORTHY_MS = 2000

function setUp(purposes) {
  const started = performance.now()
  const aptBytes = installPackages(missingPackages(purposes))
  const npmBytes = bringUpToDate()
  const elapsedMs = performance.now() - started
  const [apt, npm] = [aptBytes, npmBytes].map((bytes) => `${Math.round(bytes / 1e6)} MB`)
  if (elapsedMs > NOTEWORTHY_MS)
    say(`done in ${Math.round(elapsedMs / 1000)} s; downloaded ${apt} from Debian, ${npm} from npm`)
}

/** Runs bin/profile where the user typed npm, with the terminal as it is. Resolves to its exit code. */
function profile(args) {
  return new Promise((resolve, reject) => {
    const cwd = process.env.INIT_CWD ?? process.cwd()
    const child = spawn(join(ROOT, 'bin/profile'), args, { cwd, stdio: 'inherit' })
    process.on('SIGINT', () => {}) // the terminal sends it to the child too, which then writes its files
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

async function profileDemo() {
  const demo = spawn(join(ROOT, 'build/demo/busy'), ['600'], { stdio: 'ignore' })
  try {
    say(`profiling the demo program (test/demo/busy.c, pid ${demo.pid}) for ${DEMO_SECONDS} s`)
    return await profile([String(demo.pid), '-d', `${DEMO_SECONDS}s`])
  } finally {
    demo.kill()
  }
}

const COMMANDS = {
  async start(args) {
    if (args.length === 0) checkKernel()
    setUp(['build'])
    return args.length > 0 ? profile(args) : profileDemo()
  },
  async test() {
    setUp(process.env.CI ? ['build', 'test', 'ci'] : ['build', 'test'])
    forgetResults()
    await runRings(FAST_RINGS)
    return reportTotal()
  },
  async ci() {
    setUp(['build', 'test', 'ci'])
    await runRings(SLOW_RINGS)
    return reportTotal()
  },
  async ring(names) {
    forgetResults()
    await runRings(names)
    return reportTotal()
  },
  async native() {
    buildNative()
    return 0
  },
  async release() {
    setUp(['build'])
    buildRelease()
    return 0
  },
}

async function main([name = '', ...args]) {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw new Error(`no such command "${name}": one of ${Object.keys(COMMANDS).join(', ')}`)
  checkNode()
  return command(args)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(`emberscope: ${error.message}`)
  process.exitCode = error instanceof SetupFault ? EXIT_UNSUPPORTED : 1
}
