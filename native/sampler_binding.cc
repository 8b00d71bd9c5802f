#include "sampler_binding.h"

#include <cmath>
#include <cstring>
#include <ctime>
#include <malloc.h>
#include <sys/resource.h>

#include "kernel_features.h"
#include "own_pages.h"
#include "reader_worker.h"
#include "sampler.h"
#include "sampler_columns_binding.h"
#include "sampler_options_binding.h"

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

// The JavaScript object; its methods check that it is still open and translate errors.
class SamplerObject : public Napi::ObjectWrap<SamplerObject> {
  public:
    static Napi::Function Define(Napi::Env env) {
        return DefineClass(env, "Sampler",
                           {InstanceAccessor<&SamplerObject::Event>("event"),
                            InstanceAccessor<&SamplerObject::Unwinder>("unwinder"),
                            InstanceAccessor<&SamplerObject::WaitingStacks>("waitingStacks"),
                            InstanceAccessor<&SamplerObject::DrainedBytes>("drainedBytes"),
                            InstanceMethod<&SamplerObject::AddTarget>("addTarget"),
                            InstanceMethod<&SamplerObject::SetRate>("setRate"),
                            InstanceMethod<&SamplerObject::ForgetStacks>("forgetStacks"),
                            InstanceMethod<&SamplerObject::Start>("start"),
                            InstanceMethod<&SamplerObject::Stop>("stop"),
                            InstanceMethod<&SamplerObject::Drain>("drain"),
                            InstanceMethod<&SamplerObject::DrainEvents>("drainEvents"),
                            InstanceMethod<&SamplerObject::Counters>("counters"),
                            InstanceMethod<&SamplerObject::Stats>("bpfStats"),
                            InstanceMethod<&SamplerObject::Unwinding>("unwindStats"),
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

    void SetRate(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        if (!sampler) return;
        double rate = info.Length() > 0 && info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
        if (rate < kRateMin || rate > kRateMax || rate != std::floor(rate)) {
            Napi::RangeError::New(info.Env(), "Expected the rate to be an integer from 1 to 999")
                .ThrowAsJavaScriptException();
            return;
        }
        if (Status status = sampler->SetRate(static_cast<uint32_t>(rate)); !status.ok())
            Throw(info.Env(), status);
    }

    void ForgetStacks(const Napi::CallbackInfo &info) {
        if (Sampler *sampler = Open(info.Env())) sampler->ForgetStacks();
    }

    Napi::Value DrainedBytes(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        return sampler ? Napi::Value(DrainedBytesToJs(info.Env(), *sampler)) : info.Env().Undefined();
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
        return sampler ? CountersToJs(info.Env(), sampler->Counters()) : info.Env().Undefined();
    }

    Napi::Value Stats(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        if (!sampler) return info.Env().Undefined();
        return BpfStatsToJs(info.Env(), sampler->Stats());
    }

    Napi::Value Unwinding(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        if (!sampler) return info.Env().Undefined();
        return UnwindStatsToJs(info.Env(), sampler->Unwinding(), sampler->MapBytes());
    }

    Napi::Value WaitingStacks(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        return sampler ? Napi::Value(Napi::Number::New(info.Env(), static_cast<double>(sampler->waiting())))
                       : info.Env().Undefined();
    }

    Napi::Value Unwinder(const Napi::CallbackInfo &info) {
        Sampler *sampler = Open(info.Env());
        return sampler ? Napi::Value(Napi::String::New(info.Env(), sampler->unwinder()))
                       : info.Env().Undefined();
    }

    void Close(const Napi::CallbackInfo &) { sampler_.reset(); }

    std::unique_ptr<Sampler> sampler_;
};

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

// A process that lives for months keeps what it needs, not what it once needed: few arenas, and large blocks
// go back to the system when they are freed (their threshold would grow with each of them).
static void ReturnFreedMemory(const Napi::CallbackInfo &) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
#endif
}

// On a worker thread: smaps takes the kernel some milliseconds. Resolves to {bytes}.
static Napi::Value DropStartPages(const Napi::CallbackInfo &info) {
    return ReaderWorker<size_t>::Start(info.Env(), DropCleanFilePages,
                                       [](Napi::Env env, const size_t &bytes) {
                                           Napi::Object answer = Napi::Object::New(env);
                                           answer.Set("bytes", static_cast<double>(bytes));
                                           return answer;
                                       });
}

// The variant of the unwinder that this kernel gets; needs the right to load BPF programs, else tail-calls.
static Napi::Value UnwinderOfKernel(const Napi::CallbackInfo &info) {
    return Napi::String::New(info.Env(), HasBpfLoop() ? "loop" : "tail-calls");
}

void RegisterSampler(Napi::Env env, Napi::Object exports) {
    exports.Set("Sampler", SamplerObject::Define(env));
    exports.Set("bootTimeNs", Napi::Function::New<BootTimeNs>(env, "bootTimeNs"));
    exports.Set("reapedChildrenCpuNs", Napi::Function::New<ReapedChildrenCpuNs>(env, "reapedChildrenCpuNs"));
    exports.Set("returnFreedMemory", Napi::Function::New<ReturnFreedMemory>(env, "returnFreedMemory"));
    exports.Set("dropStartPages", Napi::Function::New<DropStartPages>(env, "dropStartPages"));
    exports.Set("unwinderOfKernel", Napi::Function::New<UnwinderOfKernel>(env, "unwinderOfKernel"));
    exports.Set("abi", AbiToJs(env));
}

} // namespace emberscope
