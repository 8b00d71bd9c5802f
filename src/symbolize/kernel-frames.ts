/** Names for kernel, module and BPF program frames, by kallsyms. */
import type { SymbolReaders } from '../native/symbols.ts'
import {
  type ExecutableFrames,
  type NamedFrames,
  spanningModule,
  symbolFrame,
  unsignedAddress,
} from './named-frames.ts'

/** What pprof's tools and perf call the kernel itself. */
const KERNEL_FILE = '[kernel.kallsyms]'

/** Names kernel frames; each module becomes a module of the profile. `path`: normally /proc/kallsyms. */
export async function nameKernelFrames(
  path: string,
  { frames, addresses }: ExecutableFrames,
  readers: SymbolReaders,
): Promise<NamedFrames> {
  const symbols = await readers.resolveKallsyms(path, addresses)
  const byModule = new Map<string, bigint[]>()
  const rows = frames.map((frame, i) => {
    const name = symbols.names[symbols.name[i]!] ?? ''
    const module = symbols.modules[symbols.module[i]!] ?? ''
    const address = unsignedAddress(addresses[i]!)
    const members = byModule.get(module)
    if (members) members.push(address)
    else byModule.set(module, [address])
    return { frame, address, module, name }
  })
  const order = new Map([...byModule.keys()].map((module, i) => [module, i]))
  const reason = symbols.hidden ? 'kernel_hidden' : 'kernel_unknown'
  return {
    modules: [...byModule].map(([module, members]) =>
      spanningModule(module === '' ? KERNEL_FILE : moduleFile(module), '', members),
    ),
    frames: rows.map(({ frame, address, module, name }) => ({
      frame,
      address,
      module: order.get(module)!,
      chain: name === '' ? [] : [symbolFrame(name)],
      reason: name === '' ? reason : '',
    })),
    fileNotes: [],
    notes: kernelNotes(symbols),
  }
}

function kernelNotes({ hidden, failure }: { readonly hidden: boolean; readonly failure: string }): string[] {
  if (failure) return [`kernel functions have no names: ${failure}`]
  const remedy = 'set it to 0 with `sysctl kernel.kptr_restrict=0`'
  return hidden ? [`kernel functions have no names: kernel.kptr_restrict hides them; ${remedy}`] : []
}

/** '[nf_tables]' whether kallsyms wrote brackets or not. */
function moduleFile(module: string): string {
  return module.startsWith('[') ? module : `[${module}]`
}
