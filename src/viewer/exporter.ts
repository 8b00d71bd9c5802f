/** Saving what the page has: files that the worker writes, and pictures of the graph as it is seen. */
import type { Shown } from '../view/protocol.ts'
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
  const shown = redact ? withoutPaths(scene.shown) : scene.shown
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

/** A picture holds no more than names: those that are paths keep their last part. */
function withoutPaths(shown: Shown): Shown {
  const clean = (drawing: Shown['drawing']): Shown['drawing'] => ({
    ...drawing,
    rows: drawing.rows.map((row) => ({
      ...row,
      name: row.name.replace(/(?:file:\/\/)?(?:\/[^\s/:()]+){2,}\//g, '…/'),
    })),
  })
  return {
    ...shown,
    drawing: clean(shown.drawing),
    callers: shown.callers === null ? null : clean(shown.callers),
  }
}
