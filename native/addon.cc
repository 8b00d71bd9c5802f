// Module init: registers the sampler, the readers, the pause meter and child processes. Each sampler belongs
// to one JavaScript object and is closed with it or with the environment, so worker threads and double
// loading are safe.
#include <napi.h>

#include "cfi_binding.h"
#include "child_binding.h"
#include "pause_meter_binding.h"
#include "sampler_binding.h"
#include "symbols_binding.h"

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
    emberscope::RegisterSampler(env, exports);
    emberscope::RegisterSymbolReaders(env, exports);
    emberscope::RegisterUnwindReaders(env, exports);
    emberscope::RegisterPauseMeter(env, exports);
    emberscope::RegisterChildren(env, exports);
    return exports;
}

NODE_API_MODULE(addon, Init)
