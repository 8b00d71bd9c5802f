/**
 * The invariants of a Profile as code. Readers of other people's files run it, and so do the tests after each decoder:
 * everything downstream indexes without looking.
 */
import { FRAME_KINDS, type Profile } from './profile.ts'

/** The first broken invariant as a sentence, null when all hold. Cost: linear. */
export function checkProfile(profile: Profile): string | null {
  return (
    checkTables(profile) ??
    checkStacks(profile) ??
    checkSamples(profile) ??
    checkWideValues(profile) ??
    checkSources(profile)
  )
}

function checkTables(profile: Profile): string | null {
  const { sampleTypes, defaultSampleType, functions, mappings, locations } = profile
  const types = Math.max(1, sampleTypes.length)
  if (!isIndex(defaultSampleType, types)) return `default sample type ${defaultSampleType} of ${types}`
  for (const [index, location] of locations.entries()) {
    const { mapping, lines, kind } = location
    if (mapping !== -1 && !isIndex(mapping, mappings.length)) {
      return `location ${index} is in mapping ${mapping} of ${mappings.length}`
    }
    if (!FRAME_KINDS.includes(kind)) return `location ${index} is of kind '${kind}'`
    for (const line of lines) {
      if (!isIndex(line.function, functions.length)) {
        return `location ${index} names function ${line.function} of ${functions.length}`
      }
    }
  }
  return null
}

function checkStacks({ stacks, locations }: Profile): string | null {
  const { parent, location } = stacks
  if (parent.length !== location.length) return `${parent.length} stack parents, ${location.length} locations`
  for (let node = 0; node < parent.length; node++) {
    const above = parent[node]!
    if (above < -1 || above >= node) return `stack node ${node} has parent ${above}`
    const place = location[node]!
    if (place < 0 || place >= locations.length) {
      return `stack node ${node} is at location ${place} of ${locations.length}`
    }
  }
  return null
}

function checkSamples({ samples, sampleTypes, stacks, labelSets }: Profile): string | null {
  const { stack, labelSet, timeNs, values } = samples
  const rows = stack.length
  if (labelSet.length !== rows) return `${rows} sample stacks, ${labelSet.length} label sets`
  if (timeNs && timeNs.length !== rows) return `${rows} sample stacks, ${timeNs.length} times`
  if (values.length !== sampleTypes.length) {
    return `${values.length} value columns for ${sampleTypes.length} sample types`
  }
  const short = values.findIndex((column) => column.length !== rows)
  if (short >= 0) return `${rows} sample stacks, ${values[short]!.length} values in column ${short}`
  for (let row = 0; row < rows; row++) {
    const node = stack[row]!
    if (node < -1 || node >= stacks.parent.length) {
      return `sample ${row} has stack ${node} of ${stacks.parent.length}`
    }
    const labels = labelSet[row]!
    if (labels < 0 || labels >= labelSets.length) {
      return `sample ${row} has label set ${labels} of ${labelSets.length}`
    }
  }
  return null
}

function checkWideValues({ samples }: Profile): string | null {
  const cells = samples.stack.length * samples.values.length
  for (const key of samples.wideValues?.keys() ?? []) {
    if (!isIndex(key, cells)) return `wide value ${key} of ${cells} values`
  }
  return null
}

function checkSources({ sources = [] }: Profile): string | null {
  const wrong = sources.find(({ firstLine }) => !(firstLine >= 1))
  return wrong ? `the source text of ${wrong.fileName} begins at line ${wrong.firstLine}` : null
}

function isIndex(value: number, length: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < length
}
