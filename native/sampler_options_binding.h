// The options of a sampler out of a JavaScript object.
#pragma once

#include <napi.h>

#include "sampler_options.h"

namespace emberscope {

// With a JavaScript exception pending (TypeError, RangeError) the result is not to be used.
// Samples a second and CPU.
constexpr uint32_t kRateMin = 1, kRateMax = 999;

SamplerOptions OptionsFromJs(const Napi::Object &object);

} // namespace emberscope
