/** A profile file of any format we read -> Profile, in Node: bytes come from the file system, zlib unpacks. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { AgentError } from '../errors.ts'
import type { Profile } from '../model/profile.ts'
import { type Chunks, refuse } from './byte-chunks.ts'
import { type ReadOptions, readProfile, unreadable } from './read-profile.ts'
import { gzipFault } from './unpack.ts'

const CHUNK_BYTES = 256 * 1024

/** Sentences for the faults of the file system that people meet. */
const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'you may not read it',
  EPERM: 'you may not read it',
}

/** Reads one file. Errors: as `readProfile`, and for a path that is missing or no file. */
export async function readProfileFile(path: string, options: ReadOptions = {}): Promise<Profile> {
  try {
    const sizeBytes = await fileSize(path)
    const chunks = createReadStream(path, { highWaterMark: CHUNK_BYTES })
    return await readProfile({ fileName: path, chunks, gunzip, sizeBytes }, options)
  } catch (cause) {
    throw withPath(path, cause)
  }
}

/** 0 for a pipe. */
async function fileSize(path: string): Promise<number> {
  const found = await stat(path)
  if (found.isDirectory()) refuse('it is a directory; name a file in it')
  if (!found.isFile() && !found.isFIFO()) refuse('it is a device or a socket; name a file')
  return found.isFile() ? found.size : 0
}

async function* gunzip(chunks: Chunks): Chunks {
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES })
  const feed = async (): Promise<void> => {
    for await (const chunk of chunks) {
      if (unzip.destroyed) return
      if (!unzip.write(chunk) && !unzip.destroyed) {
        await new Promise((resolve) => unzip.once('drain', resolve).once('close', resolve))
      }
    }
    unzip.end()
  }
  const feeding = feed().catch((cause: Error) => unzip.destroy(cause))
  try {
    yield* unzip as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw zlibFault(cause)
  } finally {
    unzip.destroy()
    await feeding
  }
}

function zlibFault(cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? ''
  if (!code.startsWith('Z_')) return cause
  return gzipFault(code === 'Z_BUF_ERROR' ? 'cut' : 'damaged', cause)
}

function withPath(path: string, cause: unknown): AgentError {
  if (cause instanceof AgentError && cause.message.startsWith('cannot read ')) return cause
  if (cause instanceof AgentError) return unreadable(path, cause)
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? ''
  const message = cause instanceof Error ? cause.message : String(cause)
  const reason = SYSTEM_REASONS[code] ?? message
  return new AgentError(
    /^E[A-Z]+$/.test(code) ? 'input_invalid' : 'internal',
    `cannot read ${path}: ${reason}`,
    { cause },
  )
}
