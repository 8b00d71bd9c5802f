#pragma once

#include <napi.h>

namespace emberscope {

// Adds startChild and reapChild.
void RegisterChildren(Napi::Env env, Napi::Object exports);

} // namespace emberscope
