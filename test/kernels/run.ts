/**
 * The kernel ring (`npm run test:kernels`): boots Debian's kernels in virtual machines and has the sampler load there,
 * sample, and unwind a program of known stacks (driver.cc, known.c). No hardware virtualisation, no root. Ends with the
 * counts as node's reporter prints them. Without a mirror, or where qemu is not installed, it is skipped with the reason.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { build } from './build.ts'
import { initramfs } from './initramfs.ts'
import { boot, type Console } from './machine.ts'
import { fetchKernels, NoPackages } from './packages.ts'

const BOTH = ['auto:loop', 'tail-calls:tail-calls']
/** Series of Debian's kernels; for each run there the variant of the unwinder that is asked for and the one to get. */
const KERNELS = new Map([
  ['5.10', ['auto:tail-calls']], // no bpf_loop
  ['6.1', BOTH],
  ['6.12', BOTH],
])
const MACHINE_TIMEOUT_MS = 480_000
/** Each is busy with one processor while it checks and loads our programs, which is most of the time. */
const MACHINES_AT_ONCE = 2
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'emberscope-kernels')
const OUT = resolve('build/test-kernels')

const counts = { pass: 0, fail: 0, skipped: 0 }

function skip(version: string, reason: string): void {
  console.log(`skipped - Linux ${version}: ${reason}`)
  counts.skipped += 1
}

/** Why no machine can run here, '' when one can. */
function obstacle(): string {
  if (process.arch !== 'x64') return `the machines are x86-64, this is ${process.arch}`
  if (spawnSync('qemu-system-x86_64', ['--version']).status !== 0) return 'qemu-system-x86 is not installed'
  return ''
}

/** Images by series; what is not to be had is skipped. */
function findKernels(): Map<string, string> {
  const reason = obstacle()
  const found = new Map<string, string>()
  for (const [version, image] of reason === '' ? fetchKernels([...KERNELS.keys()], CACHE) : []) {
    if (image instanceof NoPackages) skip(version, image.message)
    else found.set(version, image)
  }
  if (reason !== '') for (const version of KERNELS.keys()) skip(version, reason)
  return found
}

/** Adds the verdicts that the driver printed, and shows them; a machine without verdicts is one failure. */
function judge(version: string, output: Console): void {
  const ours = output.text.slice(output.text.lastIndexOf('\nkernel ') + 1)
  const [, pass, fail, skipped] = /^counts (\d+) (\d+) (\d+)$/m.exec(ours) ?? []
  if (pass === undefined) {
    counts.fail += 1
    console.log(output.text.split('\n').slice(-60).join('\n'))
    console.log(`not ok - Linux ${version}: no verdict${output.ended ? '' : ' in time'}`)
    return
  }
  console.log(ours.slice(0, ours.indexOf('\ncounts ')).trim())
  counts.pass += Number(pass)
  counts.fail += Number(fail)
  counts.skipped += Number(skipped)
}

async function main(): Promise<void> {
  const images = findKernels()
  if (images.size === 0) return
  mkdirSync(OUT, { recursive: true })
  const archive = join(OUT, 'initramfs.cpio')
  writeFileSync(archive, initramfs(build(OUT)))
  const waiting = [...images]
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [version, image] = next
      const output = await boot(image, archive, KERNELS.get(version)!, MACHINE_TIMEOUT_MS)
      console.log(`-- Linux ${version}`)
      judge(version, output)
    }
  }
  await Promise.all(Array.from({ length: MACHINES_AT_ONCE }, lane))
}

await main()
console.log(`# pass ${counts.pass}\n# fail ${counts.fail}\n# skipped ${counts.skipped}`)
process.exitCode = counts.fail > 0 ? 1 : 0
