#include "pause_meter_binding.h"

#include <algorithm>
#include <memory>
#include <uv.h>

namespace emberscope {

namespace {

// Of one environment.
struct PauseMeter {
    uv_prepare_t handle{};
    std::shared_ptr<PauseMeter> itself; // until the loop has closed the handle
    napi_async_cleanup_hook_handle cleanup = nullptr;
    bool is_started = false;
    uint64_t round_ns = 0; // when the round began
    uint64_t idle_ns = 0;  // time the loop had waited until then
    uint64_t longest_ns = 0;
};

uint64_t IdleNs(const PauseMeter &meter) {
    return uv_metrics_idle_time(meter.handle.loop);
}

// Before the loop waits: all callbacks since the last time were one round, but for the wait among them.
void EndRound(uv_prepare_t *handle) {
    PauseMeter &meter = *static_cast<PauseMeter *>(handle->data);
    const uint64_t now_ns = uv_hrtime(), idle_ns = IdleNs(meter);
    const uint64_t waited_ns = idle_ns - meter.idle_ns;
    if (meter.round_ns > 0 && now_ns - meter.round_ns > waited_ns)
        meter.longest_ns = std::max(meter.longest_ns, now_ns - meter.round_ns - waited_ns);
    meter.round_ns = now_ns;
    meter.idle_ns = idle_ns;
}

void Close(napi_async_cleanup_hook_handle, void *data) {
    PauseMeter &meter = *static_cast<PauseMeter *>(data);
    uv_close(reinterpret_cast<uv_handle_t *>(&meter.handle), [](uv_handle_t *handle) {
        auto *closed = static_cast<PauseMeter *>(handle->data);
        napi_remove_async_cleanup_hook(closed->cleanup);
        closed->itself.reset();
    });
}

// Opens the handle once; it does not keep the loop alive.
bool Open(Napi::Env env, const std::shared_ptr<PauseMeter> &shared) {
    PauseMeter &meter = *shared;
    if (meter.is_started) return true;
    uv_loop_t *loop = nullptr;
    if (napi_get_uv_event_loop(env, &loop) != napi_ok || uv_prepare_init(loop, &meter.handle) != 0)
        return false;
    meter.handle.data = &meter;
    meter.itself = shared;
    uv_unref(reinterpret_cast<uv_handle_t *>(&meter.handle));
    napi_add_async_cleanup_hook(env, Close, &meter, &meter.cleanup);
    meter.is_started = uv_prepare_start(&meter.handle, EndRound) == 0;
    return meter.is_started;
}

} // namespace

void RegisterPauseMeter(Napi::Env env, Napi::Object exports) {
    auto meter = std::make_shared<PauseMeter>();
    exports["startPauseMeter"] = Napi::Function::New(
        env,
        [meter](const Napi::CallbackInfo &info) {
            meter->round_ns = meter->longest_ns = 0;
            if (Open(info.Env(), meter)) return;
            Napi::Error::New(info.Env(), "the event loop takes no handle that measures it")
                .ThrowAsJavaScriptException();
        },
        "startPauseMeter");
    exports["longestPauseMs"] = Napi::Function::New(
        env,
        [meter](const Napi::CallbackInfo &info) {
            return Napi::Number::New(info.Env(), static_cast<double>(meter->longest_ns) / 1e6);
        },
        "longestPauseMs");
}

} // namespace emberscope
