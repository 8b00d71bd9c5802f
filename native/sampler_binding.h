// Registers the class `Sampler` and the shared names (`abi`). Arguments in, JS values out, no logic.
#pragma once

#include <napi.h>

namespace emberscope {

void RegisterSampler(Napi::Env env, Napi::Object exports);

} // namespace emberscope
