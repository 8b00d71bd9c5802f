// How long the event loop of this thread was held by one round of callbacks. It costs two readings of the
// clock a round and wakes nobody up, so it can run always.
#pragma once

#include <napi.h>

namespace emberscope {

// Adds to the exports:
//   startPauseMeter(): from now on; what was before is forgotten. Throws when the loop has no such handle.
//   longestPauseMs(): the longest round so far that had ended; 0 before the first, and when not started.
void RegisterPauseMeter(Napi::Env env, Napi::Object exports);

} // namespace emberscope
