// What the bindings of the file readers share: a worker thread behind a promise, and a descriptor of our own.
#pragma once

#include <fcntl.h>
#include <functional>
#include <memory>
#include <napi.h>
#include <optional>

#include "file_reader.h"

namespace emberscope {

// Runs `work` on a worker thread and settles a promise with what `convert` makes of its answer.
template <typename Answer> class ReaderWorker : public Napi::AsyncWorker {
  public:
    using Work = std::function<Answer()>;
    using Convert = Napi::Object (*)(Napi::Env, const Answer &);

    static Napi::Value Start(Napi::Env env, Work work, Convert convert) {
        auto *worker = new ReaderWorker(env, std::move(work), convert);
        Napi::Promise promise = worker->deferred_.Promise();
        worker->Queue();
        return promise;
    }

  protected:
    void Execute() override { answer_ = work_(); }
    void OnOK() override { deferred_.Resolve(convert_(Env(), *answer_)); }
    void OnError(const Napi::Error &error) override { deferred_.Reject(error.Value()); }

  private:
    ReaderWorker(Napi::Env env, Work work, Convert convert)
        : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), work_(std::move(work)),
          convert_(convert) {}

    Napi::Promise::Deferred deferred_;
    Work work_;
    Convert convert_;
    std::optional<Answer> answer_;
};

inline Napi::Value Misuse(Napi::Env env, const char *expected) {
    Napi::TypeError::New(env, expected).ThrowAsJavaScriptException();
    return env.Undefined();
}

// A copy of the caller's descriptor, so that closing the original while we work does no harm. Shared, because
// std::function copies what it holds.
inline std::shared_ptr<Fd> Duplicate(const Napi::Value &fd) {
    return std::make_shared<Fd>(fcntl(fd.As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 3));
}

} // namespace emberscope
