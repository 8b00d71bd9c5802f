// The JavaScript face of the symbol readers; its types are in src/native/symbols.ts.
#pragma once

#include <napi.h>

namespace emberscope {

// Sets resolveElf, findDebugFiles, resolveKallsyms and resolvePerfMap on `exports`.
void RegisterSymbolReaders(Napi::Env env, Napi::Object exports);

} // namespace emberscope
