#include "sampler_options_binding.h"

#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "abi.h"

namespace emberscope {

namespace {

// Reads options one by one; the first wrong one leaves a JavaScript exception pending, and the rest unread.
class OptionReader {
  public:
    // `path`: what precedes the names in errors.
    explicit OptionReader(const Napi::Object &object, std::string path = "")
        : env_(object.Env()), object_(object), path_(std::move(path)) {}

    uint32_t Integer(const char *name, uint32_t min, uint32_t max) {
        return IntegerOf(Get(name), name, min, max);
    }

    // At most `count` of them.
    template <typename T>
    std::vector<T> Integers(const char *name, uint32_t min, uint32_t max, size_t count) {
        std::vector<T> values;
        for (const Napi::Value &value : List(name, count)) {
            values.push_back(static_cast<T>(IntegerOf(value, name, min, max)));
            if (env_.IsExceptionPending()) break;
        }
        return values;
    }

    std::vector<std::string> Texts(const char *name, size_t count) {
        std::vector<std::string> texts;
        for (const Napi::Value &value : List(name, count)) {
            if (!value.IsString()) return Refuse<Napi::TypeError>(name, "an array of strings"), texts;
            texts.push_back(value.As<Napi::String>().Utf8Value());
        }
        return texts;
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

    // A number from 0 to 1.
    double Share(const char *name) {
        Napi::Value value = Get(name);
        if (env_.IsExceptionPending()) return 0;
        if (!value.IsNumber()) return Refuse<Napi::TypeError>(name, "a number"), 0;
        double share = value.As<Napi::Number>().DoubleValue();
        // Below, no period of ticks could be told from another.
        if (share == 0 || (share >= 1.0 / 1024 && share <= 1)) return share;
        return Refuse<Napi::RangeError>(name, "0 or a number from 1/1024 to 1"), 0;
    }

    std::vector<RateRule> RateRules(const char *name) {
        std::vector<RateRule> rules;
        for (const Napi::Value &value : List(name, RATE_RULES_MAX)) {
            if (!value.IsObject()) return Refuse<Napi::TypeError>(name, "an array of objects"), rules;
            std::string path(name);
            path.append("[").append(std::to_string(rules.size())).append("].");
            rules.push_back(OptionReader(value.As<Napi::Object>(), path).Rule());
            if (env_.IsExceptionPending()) break;
        }
        return rules;
    }

    template <typename Error> void Refuse(const char *name, const std::string &expected) {
        Error::New(env_, "Expected " + path_ + name + " to be " + expected).ThrowAsJavaScriptException();
    }

  private:
    RateRule Rule() {
        RateRule rule;
        std::string by = Text("by");
        if (by == "cgroup") {
            rule.selector = RATE_BY_CGROUP;
            rule.cgroup_fd = static_cast<int>(Integer("cgroupFd", 0, INT32_MAX));
        } else if (by == "pidNamespace") {
            rule.selector = RATE_BY_PID_NAMESPACE;
            rule.pid_namespace = Integer("pidNamespace", 1, UINT32_MAX);
        } else if (by == "comm") {
            rule.selector = RATE_BY_COMM;
            rule.comm = Text("comm");
        } else if (by == "pid") {
            rule.selector = RATE_BY_PID;
            rule.pids = Integers<int>("pids", 1, INT32_MAX, MAX_TARGETS);
        } else if (!env_.IsExceptionPending()) {
            Refuse<Napi::RangeError>("by", "'cgroup', 'pidNamespace', 'comm' or 'pid'");
        }
        rule.share = Share("share");
        return rule;
    }

    uint32_t IntegerOf(const Napi::Value &value, const char *name, uint32_t min, uint32_t max) {
        if (env_.IsExceptionPending()) return 0;
        if (!value.IsNumber()) return Refuse<Napi::TypeError>(name, "a number"), 0;
        double number = value.As<Napi::Number>().DoubleValue();
        if (number >= min && number <= max && number == std::floor(number))
            return static_cast<uint32_t>(number);
        Refuse<Napi::RangeError>(name,
                                 "an integer from " + std::to_string(min) + " to " + std::to_string(max));
        return 0;
    }

    std::vector<Napi::Value> List(const char *name, size_t count) {
        Napi::Value value = Get(name);
        std::vector<Napi::Value> values;
        if (env_.IsExceptionPending()) return values;
        if (!value.IsArray()) return Refuse<Napi::TypeError>(name, "an array"), values;
        auto array = value.As<Napi::Array>();
        if (array.Length() > count)
            return Refuse<Napi::RangeError>(name, "an array of at most " + std::to_string(count)), values;
        for (uint32_t i = 0; i < array.Length() && !env_.IsExceptionPending(); i++)
            values.push_back(array.Get(i));
        if (env_.IsExceptionPending()) values.clear();
        return values;
    }

    Napi::Value Get(const char *name) {
        return env_.IsExceptionPending() ? Napi::Value() : Napi::Value(object_.Get(name));
    }
    Napi::Env env_;
    Napi::Object object_;
    std::string path_;
};

} // namespace

SamplerOptions OptionsFromJs(const Napi::Object &object) {
    SamplerOptions options;
    OptionReader reader(object);
    options.rate_hz = reader.Integer("rateHz", kRateMin, kRateMax);
    options.base_share = reader.Share("baseShare");
    options.rate_rules = reader.RateRules("rateRules");
    options.event = reader.Text("event");
    options.by_pid = reader.Flag("byPid");
    options.cgroup_fds = reader.Integers<int>("cgroupFds", 0, INT32_MAX, CGROUPS_MAX);
    options.comms = reader.Texts("comms", COMMS_MAX);
    options.pid_namespaces = reader.Integers<uint32_t>("pidNamespaces", 1, UINT32_MAX, PID_NAMESPACES_MAX);
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
