/** Saving what the page has: files that the worker writes, and pictures of the graph as it is seen. */
import type { Drawing, Shown } from '../view/protocol.ts'
import type { ViewState } from '../view/state.ts'
import { saveBlob, saveFile } from './data/download.ts'
import { pictureOf, pngOf } from './data/picture.ts'
import type { Measure } from './data/shares.ts'
import type { Ask } from './session.ts'
import type { SaveFormat } from './views/export-panel.ts'
import { isDarkTheme } from './views/time-plots.ts'

/** What is seen at the moment. */
export interface Scene {
  readonly name: string
  readonly shown: Shown
  readonly state: ViewState
  readonly measure: Measure
  readonly widthPx: number
}

/** Saves in a format. Errors: rejects with what could not be written. */
export async function save(ask: Ask, scene: Scene, format: SaveFormat, redact: boolean): Promise<void> {
  if (format !== 'svg' && format !== 'png') {
    const { fileName, parts, type } = await ask({ do: 'export', format, redact })
    return saveFile(fileName, parts, type)
  }
  const name = redact ? 'profile' : scene.name
  const shown = redact ? await redacted(ask, scene.shown) : scene.shown
  const picture = pictureOf({ ...scene, shown, title: titleOf(name, scene), isDark: isDarkTheme() })
  const fileName = `${name.replace(/[^\w.-]+/g, '-').slice(0, 60)}.${format}`
  if (format === 'svg') return saveFile(fileName, [picture.svg], 'image/svg+xml')
  saveBlob(fileName, await pngOf(picture))
}

function titleOf(name: string, { state }: Scene): string {
  const filters =
    state.chips.length === 0
      ? ''
      : ` · ${state.chips.length} ${state.chips.length === 1 ? 'filter' : 'filters'}`
  return `${name}${filters}`
}

/** A picture holds no more than names: those of the redacted profile take their place. */
async function redacted(ask: Ask, shown: Shown): Promise<Shown> {
  const drawings = [shown.drawing, ...(shown.callers === null ? [] : [shown.callers])]
  const fns = [...new Set(drawings.flatMap(({ rows }) => rows.map(({ fn }) => fn)))].filter((fn) => fn >= 0)
  const names = await ask({ do: 'redacted', fns })
  const nameOf = new Map(fns.map((fn, i) => [fn, names[i]!]))
  const clean = ({ rows, ...drawing }: Drawing): Drawing => ({
    ...drawing,
    rows: rows.map((row) => ({ ...row, name: nameOf.get(row.fn) ?? row.name })),
  })
  return {
    ...shown,
    drawing: clean(shown.drawing),
    callers: shown.callers === null ? null : clean(shown.callers),
  }
}
