/** A virtual machine for one kernel: emulated in software, no disk, no network, its console is its output. */
import { spawn } from 'node:child_process'

const BOOT_ARGUMENTS = 'console=ttyS0 loglevel=4 panic=-1 norandmaps rdinit=/init --'
// Two processors: the sampler's per-CPU state and rings must be used. No acceleration: nested ones are often broken.
const MACHINE = '-accel tcg -cpu max -smp 2 -m 1024 -nographic -no-reboot -nodefaults -serial stdio -net none'

/** What the machine printed. `ended`: it switched itself off in time. */
export interface Console {
  readonly text: string
  readonly ended: boolean
}

/** Boots `image` with `archive` and waits until it is off, at most `timeoutMs`. `programArguments` go to /init. */
export function boot(
  image: string,
  archive: string,
  programArguments: readonly string[],
  timeoutMs: number,
): Promise<Console> {
  const kernel = ['-kernel', image, '-initrd', archive]
  const append = ['-append', `${BOOT_ARGUMENTS} ${programArguments.join(' ')}`]
  return new Promise((resolve, reject) => {
    const machine = spawn('qemu-system-x86_64', [...MACHINE.split(' '), ...kernel, ...append], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    let ended = true
    machine.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    const timer = setTimeout(() => {
      ended = false
      machine.kill('SIGKILL')
    }, timeoutMs)
    machine.on('error', reject)
    machine.on('close', () => {
      clearTimeout(timer)
      resolve({ text: text.replaceAll('\r', ''), ended })
    })
  })
}
