/** Gives each distinct (executable, address) one frame id and keeps the columns. */
import type { FrameKind } from '../model/profile.ts'
import type { FrameTable } from '../model/window.ts'

export type FrameId = number & { readonly __brand: 'FrameId' }

export class FrameInterner {
  readonly #byAddress: Map<number, FrameId>[] = []
  readonly #executable: number[] = []
  readonly #address: number[] = []
  readonly #kind: FrameKind[] = []

  intern(executable: number, address: number, kind: FrameKind): FrameId {
    const known = this.#byAddress[executable]?.get(address)
    if (known !== undefined) return known
    const id = this.#executable.length as FrameId
    this.#byAddress[executable] ??= new Map()
    this.#byAddress[executable].set(address, id)
    this.#executable.push(executable)
    this.#address.push(address)
    this.#kind.push(kind)
    return id
  }

  toTable(): FrameTable {
    return {
      executable: Int32Array.from(this.#executable),
      address: Float64Array.from(this.#address),
      kind: [...this.#kind],
    }
  }
}
