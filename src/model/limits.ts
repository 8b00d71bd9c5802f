/**
 * Every limit on what a file may make us allocate, in one place, checked before the memory is taken.
 *
 * Chosen so that every profile a person can look at passes with room to spare (a 10 s capture of a busy 64-CPU host
 * is 20 MB of pprof), and a hostile file ends in a sentence that names the limit instead of in a dead process.
 */
export const LIMITS = {
  /** Bytes that one gzip file may unfold to. Folded text is streamed, so this is time, not memory. */
  inflatedBytes: 2 * 1024 ** 3,
  /** Most output per input byte; deflate ends at 1032, real profiles stay below 100. */
  inflateRatio: 500,
  /** The ratio is not looked at before this much output: small files may well be all one stack. */
  inflateRatioFrom: 64 * 1024 ** 2,
  /** Largest (unfolded) pprof file: its bytes are in memory once. */
  pprofBytes: 1024 ** 3,
  /** Largest HTML page: V8 holds no string beyond 2^29 - 24 characters. */
  textBytes: 2 ** 29 - 1024,
  /** Largest JSON text; parsed it takes up to eight times as much. */
  jsonBytes: 128 * 1024 ** 2,
  /** Objects and arrays in it, each of 50 bytes and more however short its text. */
  jsonObjects: 2 ** 22,
  /** Longest line of folded text: 10 000 frames of 800 bytes. */
  foldedLineChars: 8 * 1024 ** 2,
  /** Nodes of the stack tree, 24 bytes each while it grows. */
  stackNodes: 2 ** 25,
  /** Distinct strings, names or stacks; a V8 Map ends at 2^24. */
  distinctEntries: 2 ** 23,
  /** Mappings, locations, lines, functions, comments and labels of a pprof file together: objects of 200 bytes. */
  tableEntries: 2 ** 22,
  /** Functions inlined into one location. */
  inlinedLines: 1000,
  /** Frames of one stack, and labels of one sample. */
  stackFrames: 2 ** 20,
  sampleLabels: 1000,
  /** Rows of samples. */
  samples: 2 ** 26,
} as const
