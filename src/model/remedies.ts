/** What to do about stacks that end early and functions without names: the same words in the terminal and on the page. */
import type { UnnamedReason } from './executable.ts'
import { RUNTIMES } from './runtimes.ts'

const ASK_DOCTOR = 'run `profile doctor PID` to see which of its binaries cannot be unwound'

/** For a binary without unwind tables. */
export function unwindRemedy(binary: string): string {
  return `build ${binary} with -fasynchronous-unwind-tables, or keep frame pointers (-fno-omit-frame-pointer)`
}

/** For a binary without symbols. */
export function symbolsRemedy(binary: string): string {
  return `install the debug symbols of ${binary} (find-dbgsym-packages names the package), or do not strip it`
}

/** For kernel functions without names: kernel.kptr_restrict lets root see them, or nobody. */
export function kernelNamesRemedy(rootMaySee: boolean): string {
  return rootMaySee ? 'run as root, or grant CAP_SYSLOG too' : 'sudo sysctl kernel.kptr_restrict=0'
}

/** For stacks that ended for a reason (a value of the label `stack_end`), in a binary ('' when unknown); '' when nothing helps. */
export function stackRemedy(reason: string, binary: string): string {
  if (reason.startsWith('raw_') || reason === 'page_not_loaded')
    return 'profile longer: the unwind tables were not loaded yet, the next capture has them cached'
  switch (reason) {
    case 'no_unwind_rows':
    case 'unsupported_row':
    case 'lost_register':
    case 'bad_frame_address':
    case 'bad_return_address':
      return binary === '' ? ASK_DOCTOR : unwindRemedy(binary)
    case 'jit':
      return 'start the program so that it keeps frame pointers (node does, Java with -XX:+PreserveFramePointer)'
    case 'depth_limit':
      return 'nothing is wrong: stacks this deep keep their innermost frames, read them in the inverted view'
    case 'compat_32bit':
      return 'build the program for 64 bits: stacks of 32-bit processes are not walked'
    default:
      return ''
  }
}

/** For stacks with a guessed step, of which a share (0 to 1) passes through code made at run time. */
export function guessedStepRemedy(throughRunTimeCode: number): string {
  return throughRunTimeCode >= 0.5
    ? 'nothing is wrong: code made at run time has no unwind tables, stacks pass it by its frame pointers'
    : `${ASK_DOCTOR}: a step through them was guessed`
}

/**
 * For functions without a name for a reason ('' when nobody said), in a binary; '' when nothing helps. `files`: paths of
 * what is loaded, by which the runtime is told.
 */
export function nameRemedy(reason: UnnamedReason | '', binary: string, files: readonly string[]): string {
  switch (reason) {
    case 'jit': {
      const runtimes = RUNTIMES.filter(({ file }) => files.some((path) => file.test(path)))
      return runtimes.length === 1 ? runtimes[0]!.remedy : 'let its runtime write /tmp/perf-PID.map'
    }
    case 'kernel_hidden':
      return `${kernelNamesRemedy(true)}; with kernel.kptr_restrict at 2: ${kernelNamesRemedy(false)}`
    case 'not_permitted':
      return 'run as root'
    case 'no_symbols':
    case 'not_covered':
    case '':
      return binary === '' ? '' : symbolsRemedy(binary)
    default:
      return ''
  }
}
