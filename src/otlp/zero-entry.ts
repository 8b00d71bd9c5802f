/** Entry 0 of each table of a dictionary must be the zero value (P-02): index 0 means "not set". */
import type { Dictionary } from './model.ts'

/** Whether it is. A link may have ids of zeros instead of none: the data model's text says so. */
export function isZeroEntry(dictionary: Dictionary, table: keyof Dictionary): boolean {
  switch (table) {
    case 'stringTable':
      return dictionary.stringTable[0] === ''
    case 'stackTable':
      return dictionary.stackTable.start[1] === 0
    case 'linkTable': {
      const { traceId, spanId } = dictionary.linkTable[0]!
      return traceId.every((byte) => byte === 0) && spanId.every((byte) => byte === 0)
    }
    case 'mappingTable': {
      const { memoryStart, memoryLimit, fileOffset, filenameStrindex, attributeIndices } =
        dictionary.mappingTable[0]!
      const isUnset = memoryStart === 0n && memoryLimit === 0n && fileOffset === 0n
      return isUnset && filenameStrindex === 0 && attributeIndices.length === 0
    }
    case 'locationTable': {
      const { mappingIndex, address, lines, attributeIndices } = dictionary.locationTable[0]!
      return mappingIndex === 0 && address === 0n && lines.length + attributeIndices.length === 0
    }
    case 'functionTable': {
      const { nameStrindex, systemNameStrindex, filenameStrindex, startLine } = dictionary.functionTable[0]!
      return [nameStrindex, systemNameStrindex, filenameStrindex, startLine].every((index) => index === 0)
    }
    case 'attributeTable': {
      const { keyStrindex, value, unitStrindex } = dictionary.attributeTable[0]!
      return keyStrindex === 0 && unitStrindex === 0 && value.kind === 'empty'
    }
  }
}
