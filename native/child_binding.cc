#include "child_binding.h"

#include <cstring>

#include "child.h"

namespace emberscope {

namespace {

// (path, arguments, descriptors) -> {pid, input, output}. Throws with the code 'not_started'.
Napi::Value StartChildFromJs(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    if (info.Length() < 3 || !info[0].IsString() || !info[1].IsArray() || !info[2].IsArray()) {
        Napi::TypeError::New(env, "Expected a path, arguments and descriptors").ThrowAsJavaScriptException();
        return env.Undefined();
    }
    Napi::Array words = info[1].As<Napi::Array>();
    std::vector<std::string> arguments(words.Length());
    for (uint32_t i = 0; i < words.Length(); i++)
        arguments[i] = words.Get(i).ToString();
    Napi::Array fds = info[2].As<Napi::Array>();
    std::vector<int> descriptors(fds.Length());
    for (uint32_t i = 0; i < fds.Length(); i++)
        descriptors[i] = fds.Get(i).ToNumber();
    Result<Child> child = StartChild(info[0].As<Napi::String>(), arguments, descriptors);
    if (!child.ok()) {
        const Status &status = child.status();
        Napi::Error error = Napi::Error::New(env, status.message + ": " + strerror(status.error_number));
        error.Set("code", "not_started");
        error.ThrowAsJavaScriptException();
        return env.Undefined();
    }
    Napi::Object answer = Napi::Object::New(env);
    answer.Set("pid", child.value().pid);
    answer.Set("input", child.value().input);
    answer.Set("output", child.value().output);
    return answer;
}

// (pid) -> its exit code, -1 when a signal ended it, null while it runs.
Napi::Value ReapChildFromJs(const Napi::CallbackInfo &info) {
    Napi::Env env = info.Env();
    if (info.Length() < 1 || !info[0].IsNumber() || info[0].As<Napi::Number>().Int32Value() <= 0) {
        Napi::TypeError::New(env, "Expected the pid to be a positive integer").ThrowAsJavaScriptException();
        return env.Undefined();
    }
    std::optional<int> code = ReapChild(info[0].As<Napi::Number>().Int32Value());
    return code ? Napi::Value(Napi::Number::New(env, *code)) : env.Null();
}

} // namespace

void RegisterChildren(Napi::Env env, Napi::Object exports) {
    exports.Set("startChild", Napi::Function::New<StartChildFromJs>(env, "startChild"));
    exports.Set("reapChild", Napi::Function::New<ReapChildFromJs>(env, "reapChild"));
}

} // namespace emberscope
