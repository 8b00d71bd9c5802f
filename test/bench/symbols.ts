/**
 * Time and memory of naming the addresses of one profile: a generated file of 150 MB with a million functions, and this
 * node binary; with nm and addr2line on the same file in the same run for comparison.
 *
 * Prints one line per measurement. The memory figure is the growth of the peak (VmHWM), so it counts what was freed.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadAddon } from '../../src/native/addon.ts'
import { elfImage, IMAGE_TEXT, SYMBOL_INFO } from '../helpers/elf-image.ts'
import { fileOffsets, listSymbols, temporaryDirectory } from '../helpers/elf-tools.ts'

const FUNCTIONS = 1_000_000
const FUNCTION_SIZE = 64
const ASKED = 2000
const ROUNDS = 7

function peakKb(): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? 0)
}

/** 64 MB of code, 24 MB of symbols in scattered order, 62 MB of names as long as C++ has them. */
function writeLargeFile(path: string): void {
  const order = Uint32Array.from({ length: FUNCTIONS }, (_, index) => (index * 7_919) % FUNCTIONS)
  const symbols = Array.from(order, (number) => ({
    name: `_ZN10emberscope5bench8generated9namespaceI6LetterE8functionNr${String(number).padStart(7, '0')}Ev`,
    address: IMAGE_TEXT.address + number * FUNCTION_SIZE,
    size: FUNCTION_SIZE,
    info: SYMBOL_INFO.globalFunction,
  }))
  writeFileSync(path, elfImage(symbols, FUNCTIONS * FUNCTION_SIZE).bytes)
}

async function measure(label: string, path: string, offsets: Float64Array): Promise<void> {
  const fd = openSync(path, 'r')
  const times: number[] = []
  const peakBefore = peakKb()
  let named = 0
  for (let round = 0; round < ROUNDS; ++round) {
    const start = performance.now()
    const answer = await loadAddon().resolveElf(fd, -1, offsets)
    times.push(performance.now() - start)
    named = answer.name.filter((name) => name >= 0).length
  }
  const grown = peakKb() - peakBefore
  closeSync(fd)
  times.sort((a, b) => a - b)
  const [best = 0, median = 0] = [times[0], times[ROUNDS >> 1]]
  console.log(
    `${label}: ${median.toFixed(0)} ms (best ${best.toFixed(0)}), ${named} of ${offsets.length} named, peak memory +${grown} kB`,
  )
}

function measurePeer(label: string, command: string, args: readonly string[], input: string): void {
  const start = performance.now()
  const { status } = spawnSync(command, args, { input, maxBuffer: 1 << 30 })
  console.log(
    `  ${label}: ${(performance.now() - start).toFixed(0)} ms${status === 0 ? '' : ` (exit ${status})`}`,
  )
}

function measurePeers(path: string, addresses: readonly number[]): void {
  measurePeer('nm', 'nm', ['-S', path], '')
  // addr2line searches its list from the start for each address: a minute for all of them.
  const few = addresses.filter((_, index) => index % 20 === 0)
  const input = few.map((address) => address.toString(16)).join('\n')
  measurePeer(`addr2line -f, ${few.length} addresses`, 'addr2line', ['-f', '-e', path], input)
}

// The file is written by a child, so that its buffers do not hide the growth of our own peak.
if (process.argv[2] === 'write') {
  writeLargeFile(process.argv[3] ?? '')
} else {
  const path = join(temporaryDirectory(), 'million')
  const written = spawnSync(process.execPath, [process.argv[1] ?? '', 'write', path], { stdio: 'inherit' })
  if (written.status !== 0) throw new Error(`cannot write ${path}: exit ${written.status}`)
  const step = Math.floor(FUNCTIONS / ASKED) * FUNCTION_SIZE
  const large = Array.from({ length: ASKED }, (_, index) => IMAGE_TEXT.address + index * step + 5)
  const offset = (address: number) => address - IMAGE_TEXT.address + IMAGE_TEXT.offset
  await measure(
    `${FUNCTIONS} functions, ${statSync(path).size >> 20} MiB`,
    path,
    Float64Array.from(large, offset),
  )
  measurePeers(path, large)
  const node = realpathSync(process.execPath)
  const symbols = listSymbols(node).filter((symbol) => symbol.size > 0)
  const some = symbols.filter((_, index) => index % Math.ceil(symbols.length / ASKED) === 0)
  const addresses = some.map(({ address, size }) => address + (size >> 1))
  await measure(`node, ${symbols.length} functions`, node, fileOffsets(node, addresses))
  measurePeers(node, addresses)
}
