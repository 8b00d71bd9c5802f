// The JavaScript face of the unwind table readers; its types are in src/native/unwind-tables.ts.
#pragma once

#include <napi.h>

namespace emberscope {

// Sets describeUnwind on `exports`.
void RegisterUnwindReaders(Napi::Env env, Napi::Object exports);

} // namespace emberscope
