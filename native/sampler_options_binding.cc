#include "sampler_options_binding.h"

#include <bit>
#include <cmath>
#include <string>

namespace emberscope {

namespace {

// Reads options one by one; the first wrong one leaves a JavaScript exception pending, and the rest unread.
class OptionReader {
  public:
    explicit OptionReader(const Napi::Object &object) : env_(object.Env()), object_(object) {}

    uint32_t Integer(const char *name, uint32_t min, uint32_t max) {
        Napi::Value value = Get(name);
        if (env_.IsExceptionPending()) return 0;
        if (!value.IsNumber()) return Refuse<Napi::TypeError>(name, "a number"), 0;
        double number = value.As<Napi::Number>().DoubleValue();
        if (number >= min && number <= max && number == std::floor(number))
            return static_cast<uint32_t>(number);
        Refuse<Napi::RangeError>(name,
                                 "an integer from " + std::to_string(min) + " to " + std::to_string(max));
        return 0;
    }

    std::string Text(const char *name) {
        Napi::Value value = Get(name);
        if (env_.IsExceptionPending()) return {};
        if (value.IsString()) return value.As<Napi::String>().Utf8Value();
        Refuse<Napi::TypeError>(name, "a string");
        return {};
    }

    bool Flag(const char *name) {
        Napi::Value value = Get(name);
        if (env_.IsExceptionPending()) return false;
        if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
        Refuse<Napi::TypeError>(name, "true or false");
        return false;
    }

    // As the kernel wants its rings.
    uint32_t RingBytes(const char *name) {
        uint32_t bytes = Integer(name, 4096, 1U << 31);
        if (!env_.IsExceptionPending() && !std::has_single_bit(bytes))
            Refuse<Napi::RangeError>(name, "a power of two");
        return bytes;
    }

    UnwinderVariant Unwinder(const char *name) {
        std::string text = Text(name);
        if (text == "loop") return UnwinderVariant::loop;
        if (text == "tail-calls") return UnwinderVariant::tail_calls;
        if (!env_.IsExceptionPending() && text != "auto")
            Refuse<Napi::RangeError>(name, "'auto', 'loop' or 'tail-calls'");
        return UnwinderVariant::automatic;
    }

    template <typename Error> void Refuse(const char *name, const std::string &expected) {
        Error::New(env_, std::string("Expected ") + name + " to be " + expected).ThrowAsJavaScriptException();
    }

  private:
    Napi::Value Get(const char *name) {
        return env_.IsExceptionPending() ? Napi::Value() : Napi::Value(object_.Get(name));
    }
    Napi::Env env_;
    Napi::Object object_;
};

} // namespace

SamplerOptions OptionsFromJs(const Napi::Object &object) {
    SamplerOptions options;
    OptionReader reader(object);
    options.rate_hz = reader.Integer("rateHz", 1, 999);
    options.event = reader.Text("event");
    options.by_pid = reader.Flag("byPid");
    uint32_t cgroup = reader.Integer("cgroupFd", 0, INT32_MAX);
    options.cgroup_fd = cgroup > 0 ? static_cast<int>(cgroup) : -1;
    options.comm = reader.Text("comm");
    options.kernel_stacks = reader.Flag("kernelStacks");
    options.dither = reader.Integer("dither", 1, 64);
    options.pid_namespace_inode = reader.Integer("pidNamespaceInode", 0, UINT32_MAX);
    options.ring_bytes = reader.RingBytes("ringBytes");
    options.raw_ring_bytes = reader.RingBytes("rawRingBytes");
    options.raw_stacks_per_second = reader.Integer("rawStacksPerSecond", 0, 1'000'000);
    options.kernel_budget_bytes = reader.Integer("kernelBudgetBytes", 1 << 20, UINT32_MAX);
    options.user_budget_bytes = reader.Integer("userBudgetBytes", 1 << 20, UINT32_MAX);
    options.cache_directory = reader.Text("cacheDir");
    options.unwinder = reader.Unwinder("unwinder");
    if (object.Env().IsExceptionPending()) return options;
    if (options.event != "auto" && options.event != "cpu-clock" && options.event != "cycles")
        reader.Refuse<Napi::RangeError>("event", "'auto', 'cpu-clock' or 'cycles'");
    return options;
}

} // namespace emberscope
