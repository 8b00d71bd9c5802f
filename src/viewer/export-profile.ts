/** The open profile as a file of another format, and the table that is shown as text. */
import { csvLines, writeCsv } from '../formats/csv.ts'
import { writeFolded } from '../formats/folded.ts'
import { writeSpeedscope } from '../formats/speedscope.ts'
import { baseName } from '../model/frame-name.ts'
import type { Profile } from '../model/profile.ts'
import { redact } from '../model/redact.ts'
import { encodePprof } from '../pprof/encode.ts'
import type { Engine } from '../view/engine.ts'
import type { Answers, ExportFormat } from '../view/protocol.ts'
import { zip } from './data/unzip.ts'

/** File name, contents and media type. Errors: AgentError where the format cannot hold the profile. */
export async function exportProfile(
  engine: Engine,
  format: ExportFormat,
  isRedacted: boolean,
): Promise<Answers['export']> {
  const profile = isRedacted ? redact(engine.profile).profile : engine.profile
  const name = fileNameOf(profile)
  switch (format) {
    case 'pprof':
      return { fileName: `${name}.pb.gz`, parts: [await zip(encodePprof(profile))], type: 'application/gzip' }
    case 'folded':
      return { fileName: `${name}.folded`, parts: [...writeFolded(profile)], type: 'text/plain' }
    case 'speedscope':
      return {
        fileName: `${name}.speedscope.json`,
        parts: [...writeSpeedscope(profile)],
        type: 'application/json',
      }
    case 'csv':
      return {
        fileName: `${name}.csv`,
        parts: [...(isRedacted ? writeCsv(profile) : shownCsv(engine))],
        type: 'text/csv',
      }
  }
}

/** The table as it is filtered and sorted now. */
function shownCsv(engine: Engine): Iterable<string> {
  const { rows, total, samples, unit } = engine.shownTable()
  const lines = rows.map(({ name, place, self, total: below }) => ({
    name,
    file: place[0] ?? '',
    self,
    total: below,
  }))
  return csvLines(lines, { value: total, samples, unit })
}

function fileNameOf({ capture, mappings }: Profile): string {
  const name = capture?.target.name || baseName(mappings[0]?.fileName ?? '')
  return (
    name
      .replace(/[^A-Za-z0-9._+]+/g, '-')
      .replace(/^[-.]+|[-.]+$/g, '')
      .slice(0, 40) || 'profile'
  )
}
