#include "sampler_binding.h"

#include <cmath>
#include <cstring>
#include <ctime>
#include <sys/resource.h>

#include "sampler.h"

namespace emberscope {

namespace {

const char *CodeOf(Kind kind) {
    switch (kind) {
    case Kind::not_permitted:
        return "not_permitted";
    case Kind::unsupported:
        return "unsupported";
    case Kind::invalid:
        return "usage";
    default:
        return "internal";
    }
}

void Throw(Napi::Env env, const Status &status) {
    std::string text = status.message;
    if (status.error_number) text += std::string(": ") + strerror(status.error_number);
    Napi::Error error = Napi::Error::New(env, text);
    error.Set("code", Napi::String::New(env, CodeOf(status.kind)));
    error.ThrowAsJavaScriptException();
}

template <typename Array, typename T> Array Column(Napi::Env env, const std::vector<T> &values) {
    Array array = Array::New(env, values.size());
    if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(T));
    return array;
}

template <typename T, typename Get>
Napi::Array Strings(Napi::Env env, const std::vector<T> &values, Get get) {
    Napi::Array array = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); i++)
        array.Set(i, Napi::String::New(env, get(values[i])));
    return array;
}

Napi::Object SamplesToJs(Napi::Env env, const SampleColumns &columns) {
    Napi::Object batch = Napi::Object::New(env);
    batch.Set("stack", Column<Napi::Int32Array>(env, columns.stack));
    batch.Set("pid", Column<Napi::Int32Array>(env, columns.pid));
    batch.Set("tid", Column<Napi::Int32Array>(env, columns.tid));
    batch.Set("timeNs", Column<Napi::Float64Array>(env, columns.time_ns));
    batch.Set("comm", Column<Napi::Int32Array>(env, columns.comm));
    batch.Set("comms", Strings(env, columns.comms, [](const std::string &comm) { return comm; }));
    batch.Set("stackEnd", Column<Napi::Uint8Array>(env, columns.stack_end));
    batch.Set("firstNewStack", columns.first_new_stack);
    batch.Set("newStackPid", Column<Napi::Int32Array>(env, columns.new_stack_pid));
    batch.Set("newStackTimeNs", Column<Napi::Float64Array>(env, columns.new_stack_time_ns));
    batch.Set("newStackKernelFrames", Column<Napi::Int32Array>(env, columns.new_stack_kernel_frames));
    batch.Set("newStackStart", Column<Napi::Int32Array>(env, columns.new_stack_start));
    batch.Set("frames", Column<Napi::Float64Array>(env, columns.frames));
    return batch;
}

template <typename Array, typename Get>
Array EventColumn(Napi::Env env, const std::vector<ProcessEvent> &events, Get get) {
    Array array = Array::New(env, events.size());
    for (size_t i = 0; i < events.size(); i++)
        array[i] = get(events[i]);
    return array;
}

Napi::Object EventsToJs(Napi::Env env, const std::vector<ProcessEvent> &events) {
    using Event = const ProcessEvent &;
    Napi::Object batch = Napi::Object::New(env);
    batch.Set("kind", EventColumn<Napi::Uint8Array>(env, events,
                                                    [](Event e) { return static_cast<uint8_t>(e.kind); }));
    batch.Set("pid", EventColumn<Napi::Int32Array>(env, events, [](Event e) { return e.pid; }));
    batch.Set("tid", EventColumn<Napi::Int32Array>(env, events, [](Event e) { return e.tid; }));
    batch.Set("extra", EventColumn<Napi::Int32Array>(env, events, [](Event e) { return e.extra; }));
    batch.Set("timeNs", EventColumn<Napi::Float64Array>(
                            env, events, [](Event e) { return static_cast<double>(e.time_ns); }));
    batch.Set("start", EventColumn<Napi::Float64Array>(env, events, [](Event e) {
                  return static_cast<double>(static_cast<int64_t>(e.start));
              }));
    batch.Set("end", EventColumn<Napi::Float64Array>(env, events, [](Event e) {
                  return static_cast<double>(static_cast<int64_t>(e.end));
              }));
    batch.Set("fileOffset", EventColumn<Napi::Float64Array>(
                                env, events, [](Event e) { return static_cast<double>(e.file_offset); }));
    batch.Set("name", Strings(env, events, [](Event e) { return e.name; }));
    batch.Set("buildId", Strings(env, events, [](Event e) { return e.build_id; }));
    return batch;
}

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
    options.ring_bytes = reader.Integer("ringBytes", 4096, 1U << 31);
    if (object.Env().IsExceptionPending()) return options;
    if ((options.ring_bytes & (options.ring_bytes - 1)) != 0)
        reader.Refuse<Napi::RangeError>("ringBytes", "a power of two");
    else if (options.event != "auto" && options.event != "cpu-clock" && options.event != "cycles")
        reader.Refuse<Napi::RangeError>("event", "'auto', 'cpu-clock' or 'cycles'");
    return options;
}

// The JavaScript object; its methods check that it is still open and translate errors.
class SamplerObject : public Napi::ObjectWrap<SamplerObject> {
  public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(env, "Sampler",
                           {InstanceAccessor<&SamplerObject::Event>("event"),
                            InstanceMethod<&SamplerObject::AddTarget>("addTarget"),
                            InstanceMethod<&SamplerObject::Start>("start"),
                            InstanceMethod<&SamplerObject::Stop>("stop"),
                            InstanceMethod<&SamplerObject::Drain>("drain"),
                            InstanceMethod<&SamplerObject::DrainEvents>("drainEvents"),
                            InstanceMethod<&SamplerObject::Counters>("counters"),
                            InstanceMethod<&SamplerObject::Stats>("bpfStats"),
                            InstanceMethod<&SamplerObject::Close>("close")});
    }

    explicit SamplerObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<SamplerObject>(info) {
        if (info.Length() < 1 || !info[0].IsObject()) {
            Napi::TypeError::New(info.Env(), "Expected the sampler's options to be an object")
                .ThrowAsJavaScriptException();
            return;
        }
        SamplerOptions options = OptionsFromJs(info[0].As<Napi::Object>());
        if (info.Env().IsExceptionPending()) return;
        Result<std::unique_ptr<Sampler>> sampler = Sampler::Open(options);
        if (sampler.ok()) sampler_ = std::move(sampler.value());
        else Throw(info.Env(), sampler.status());
    }

  private:
    // The open sampler, or null with a JavaScript exception pending.
    Sampler *Open(Napi::Env env) {
        if (sampler_) return sampler_.get();
        Napi::Error error = Napi::Error::New(env, "the sampler is closed");
        error.Set("code", Napi::String::New(env, "sampler_closed"));
        error.ThrowAsJavaScriptException();
        return nullptr;
    }

    Napi::Value Event(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        return sampler ? Napi::Value(Napi::String::New(info.Env(), sampler->event()))
                       : info.Env().Undefined();
    }

    void AddTarget(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        if (!sampler) return;
        if (info.Length() < 1 || !info[0].IsNumber() || info[0].As<Napi::Number>().Int32Value() <= 0) {
            Napi::TypeError::New(info.Env(), "Expected the pid to be a positive integer")
                .ThrowAsJavaScriptException();
            return;
        }
        if (Status status = sampler->AddTarget(info[0].As<Napi::Number>().Int32Value()); !status.ok())
            Throw(info.Env(), status);
    }

    void Start(const Napi::CallbackInfo &info) {
        if (Sampler *sampler = Open(info.Env()))
            if (Status status = sampler->Start(); !status.ok()) Throw(info.Env(), status);
    }

    void Stop(const Napi::CallbackInfo &info) {
        if (Sampler *sampler = Open(info.Env())) sampler->Stop();
    }

    Napi::Value Drain(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        if (!sampler) return info.Env().Undefined();
        Result<SampleColumns> columns = sampler->Drain();
        if (columns.ok()) return SamplesToJs(info.Env(), columns.value());
        Throw(info.Env(), columns.status());
        return info.Env().Undefined();
    }

    Napi::Value DrainEvents(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        return sampler ? Napi::Value(EventsToJs(info.Env(), sampler->DrainEvents())) : info.Env().Undefined();
    }

    Napi::Value Counters(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        return sampler ? Napi::Value(Column<Napi::Float64Array>(info.Env(), sampler->Counters()))
                       : info.Env().Undefined();
    }

    Napi::Value Stats(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        if (!sampler) return info.Env().Undefined();
        BpfStats stats = sampler->Stats();
        Napi::Object object = Napi::Object::New(info.Env());
        object.Set("runs", static_cast<double>(stats.runs));
        object.Set("timeNs", static_cast<double>(stats.time_ns));
        return object;
    }

    void Close(const Napi::CallbackInfo &) { sampler_.reset(); }

    std::unique_ptr<Sampler> sampler_;
};

Napi::Object Pair(Napi::Env env, const char *name, const char *quality) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", name);
    object.Set("quality", quality);
    return object;
}

// The X-lists of abi.h as JavaScript values, so that TypeScript prints these names and never retypes them.
Napi::Object AbiToJs(Napi::Env env) {
    Napi::Object abi = Napi::Object::New(env);
    Napi::Array ends = Napi::Array::New(env), counters = Napi::Array::New(env), kinds = Napi::Array::New(env);
#define ADD_END(id, name, quality) ends.Set(ends.Length(), Pair(env, name, quality));
#define ADD_COUNTER(id, name) counters.Set(counters.Length(), name);
#define ADD_KIND(id, name) kinds.Set(kinds.Length(), name);
    STACK_ENDS(ADD_END)
    COUNTERS(ADD_COUNTER)
    EVENT_KINDS(ADD_KIND)
    abi.Set("version", ABI_VERSION);
    abi.Set("stackEnds", ends);
    abi.Set("counters", counters);
    abi.Set("eventKinds", kinds);
    return abi;
}

} // namespace

// CLOCK_BOOTTIME now: the clock of samples and process events.
static Napi::Value BootTimeNs(const Napi::CallbackInfo &info) {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return Napi::Number::New(info.Env(),
                             static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec));
}

// CPU time of the children that were waited for: what the symbolizer cost, which node does not tell.
static Napi::Value ReapedChildrenCpuNs(const Napi::CallbackInfo &info) {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    auto nanoseconds = [](const timeval &time) {
        return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
    };
    return Napi::Number::New(info.Env(), nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime));
}

void RegisterSampler(Napi::Env env, Napi::Object exports) {
    exports.Set("Sampler", SamplerObject::Define(env));
    exports.Set("bootTimeNs", Napi::Function::New<BootTimeNs>(env, "bootTimeNs"));
    exports.Set("reapedChildrenCpuNs", Napi::Function::New<ReapedChildrenCpuNs>(env, "reapedChildrenCpuNs"));
    exports.Set("abi", AbiToJs(env));
}

} // namespace emberscope
