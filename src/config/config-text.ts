/** The text of the configuration's file. */
import { closeSync, openSync, readSync } from 'node:fs'
import { AgentError } from '../errors.ts'

/** Bytes of the largest file we read: ours is a hundred lines. */
const MAX_CONFIG_BYTES = 1024 * 1024

/** Errors: AgentError `config_invalid` for what cannot be read, is no UTF-8, or is no such file by its size. */
export function readConfigFile(path: string): string {
  try {
    const descriptor = openSync(path, 'r')
    try {
      // One byte more than allowed tells a large file; /dev/zero ends too.
      const buffer = Buffer.alloc(MAX_CONFIG_BYTES + 1)
      let length = 0
      for (let read = -1; read !== 0 && length < buffer.length; length += read)
        read = readSync(descriptor, buffer, length, buffer.length - length, null)
      if (length > MAX_CONFIG_BYTES) throw new Error(`it is larger than ${MAX_CONFIG_BYTES} bytes`)
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length))
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    const reason = cause instanceof TypeError ? 'it is not UTF-8' : (cause as Error).message
    throw new AgentError('config_invalid', `cannot read the configuration ${path}: ${reason}`, { cause })
  }
}
