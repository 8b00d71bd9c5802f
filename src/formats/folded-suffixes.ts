/** The suffixes of frames in folded text: the writer puts them there, the reader takes them off. */
import type { FrameKind } from '../model/profile.ts'

/** Suffix of a frame by the kind of its code. */
export const KIND_SUFFIXES: Readonly<Record<FrameKind, string>> = {
  native: '',
  kernel: '_[k]',
  jit: '_[j]',
  interpreted: '',
}

/** Suffix of a frame that was inlined into the one before it. */
export const INLINED_SUFFIX = '_[i]'
