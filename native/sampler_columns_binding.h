// What a drain gives, as JavaScript values: one typed array a column.
#pragma once

#include <napi.h>
#include <vector>

#include "bpf_programs.h"
#include "record_decode.h"
#include "sampler.h"
#include "sideband.h"
#include "unwind/stages.h"

namespace emberscope {

Napi::Object SamplesToJs(Napi::Env env, const SampleColumns &columns);
Napi::Object EventsToJs(Napi::Env env, const std::vector<ProcessEvent> &events);
Napi::Value CountersToJs(Napi::Env env, const std::vector<double> &counters);
Napi::Object BpfStatsToJs(Napi::Env env, const BpfStats &stats);
Napi::Object DrainedBytesToJs(Napi::Env env, const Sampler &sampler);
Napi::Object UnwindStatsToJs(Napi::Env env, const UnwindStats &stats, uint64_t map_bytes);
// The X-lists of abi.h, so that TypeScript prints these names and never retypes them.
Napi::Object AbiToJs(Napi::Env env);

} // namespace emberscope
