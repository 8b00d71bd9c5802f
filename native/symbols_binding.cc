#include "symbols_binding.h"

#include <cerrno>
#include <fcntl.h>

#include "debug_files.h"
#include "elf_resolve.h"
#include "reader_worker.h"
#include "text_symbols.h"

namespace emberscope {

namespace {

template <typename Array, typename Value> Array ToArray(Napi::Env env, const std::vector<Value> &values) {
    Array array = Array::New(env, values.size());
    if (array.Data()) std::copy(values.begin(), values.end(), array.Data()); // null while a worker ends
    return array;
}

Napi::Array ToStrings(Napi::Env env, const std::vector<std::string> &texts) {
    Napi::Array array = Napi::Array::New(env, texts.size());
    for (size_t index = 0; index < texts.size(); ++index) {
        array.Set(static_cast<uint32_t>(index), Napi::String::New(env, texts[index]));
    }
    return array;
}

Napi::Object NamesToObject(Napi::Env env, const ResolvedNames &answer) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", ToArray<Napi::Int32Array>(env, answer.name));
    object.Set("names", ToStrings(env, answer.names.names()));
    object.Set("symbolStart", ToArray<Napi::Float64Array>(env, answer.symbol_start));
    return object;
}

Napi::Object ElfToObject(Napi::Env env, const ElfAnswer &answer) {
    Napi::Object object = NamesToObject(env, answer);
    object.Set("failure", answer.failure);
    object.Set("detail", answer.detail);
    object.Set("buildId", answer.build_id);
    object.Set("elfAddress", ToArray<Napi::Float64Array>(env, answer.elf_address));
    Napi::Object segment = Napi::Object::New(env);
    segment.Set("address", static_cast<double>(answer.segment_address));
    segment.Set("fileOffset", static_cast<double>(answer.segment_file_offset));
    segment.Set("size", static_cast<double>(answer.segment_size));
    object.Set("segment", segment);
    object.Set("hasSymbols", answer.has_symbols);
    object.Set("sources", ToStrings(env, answer.sources));
    object.Set("hasDwarf", answer.has_dwarf);
    return object;
}

Napi::Object KallsymsToObject(Napi::Env env, const KallsymsAnswer &answer) {
    Napi::Object object = NamesToObject(env, answer);
    object.Set("module", ToArray<Napi::Int32Array>(env, answer.module));
    object.Set("modules", ToStrings(env, answer.modules.names()));
    object.Set("hidden", answer.hidden);
    object.Set("failure", answer.failure);
    return object;
}

Napi::Object KernelFunctionsToObject(Napi::Env env, const KernelFunctions &answer) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("start", ToArray<Napi::Float64Array>(env, answer.start));
    object.Set("nameAt", ToArray<Napi::Uint32Array>(env, answer.name_at));
    object.Set("names", ToArray<Napi::Uint8Array>(env, answer.names));
    object.Set("module", ToArray<Napi::Int32Array>(env, answer.module));
    object.Set("modules", ToStrings(env, answer.modules.names()));
    object.Set("hidden", answer.hidden);
    object.Set("failure", answer.failure);
    return object;
}

Napi::Object PerfMapToObject(Napi::Env env, const PerfMapAnswer &answer) {
    Napi::Object object = NamesToObject(env, answer);
    object.Set("malformedLines", static_cast<double>(answer.malformed_lines));
    object.Set("failure", answer.failure);
    return object;
}

Napi::Object DebugFilesToObject(Napi::Env env, const DebugFilesAnswer &answer) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("debugFile", answer.debug_file);
    object.Set("altFile", answer.alt_file);
    return object;
}

bool IsFloat64Array(const Napi::Value &value) {
    return value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array;
}

std::vector<double> ToVector(const Napi::Value &value) {
    auto array = value.As<Napi::Float64Array>();
    return {array.Data(), array.Data() + array.ElementLength()};
}

ElfAnswer ResolveElfOfFd(int fd, bool has_debug, int debug_fd, const std::vector<double> &offsets) {
    Result<FileSource> file = FileSource::Open(fd);
    if (!file.ok()) {
        ElfAnswer answer(offsets.size());
        answer.elf_address = offsets;
        answer.failure = file.status().kind == Kind::io ? "io_error" : "not_elf";
        answer.detail = file.status().message;
        return answer;
    }
    if (!has_debug) return ResolveElf(file.value(), nullptr, offsets);
    Result<FileSource> debug = FileSource::Open(debug_fd);
    ElfAnswer answer = ResolveElf(file.value(), debug.ok() ? &debug.value() : nullptr, offsets);
    if (!debug.ok() && answer.detail.empty()) answer.detail = "debug file ignored: " + debug.status().message;
    return answer;
}

Napi::Value ResolveElfCall(const Napi::CallbackInfo &info) {
    if (!info[0].IsNumber() || !info[1].IsNumber() || !IsFloat64Array(info[2])) {
        return Misuse(info.Env(),
                      "Expected resolveElf(fd: number, debugFd: number, fileOffsets: Float64Array)");
    }
    const bool has_debug = info[1].As<Napi::Number>().Int32Value() >= 0;
    auto work = [has_debug, fd = Duplicate(info[0]), debug_fd = Duplicate(info[1]),
                 offsets = ToVector(info[2])] {
        return ResolveElfOfFd(fd->get(), has_debug, debug_fd->get(), offsets);
    };
    return ReaderWorker<ElfAnswer>::Start(info.Env(), std::move(work), ElfToObject);
}

Napi::Value FindDebugFilesCall(const Napi::CallbackInfo &info) {
    if (!info[0].IsNumber() || !info[1].IsString() || !info[2].IsString()) {
        return Misuse(info.Env(), "Expected findDebugFiles(fd: number, path: string, root: string)");
    }
    auto work = [fd = Duplicate(info[0]), path = info[1].As<Napi::String>().Utf8Value(),
                 root = info[2].As<Napi::String>().Utf8Value()] {
        return FindDebugFiles(fd->get(), path, root);
    };
    return ReaderWorker<DebugFilesAnswer>::Start(info.Env(), std::move(work), DebugFilesToObject);
}

template <typename Answer>
Answer ReadText(int fd, int open_error, const std::vector<double> &addresses,
                Answer (*resolve)(const ByteSource &, const std::vector<double> &)) {
    Answer answer(addresses.size());
    if (fd < 0) {
        answer.failure = std::string("cannot open the file: ") + strerror(open_error);
        return answer;
    }
    Result<FileSource> source = FileSource::Open(fd);
    if (source.ok()) return resolve(source.value(), addresses);
    answer.failure = source.status().message;
    return answer;
}

Napi::Value ResolveKallsymsCall(const Napi::CallbackInfo &info) {
    if (!info[0].IsString() || !IsFloat64Array(info[1])) {
        return Misuse(info.Env(), "Expected resolveKallsyms(path: string, addresses: Float64Array)");
    }
    auto work = [path = info[0].As<Napi::String>().Utf8Value(), addresses = ToVector(info[1])] {
        Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        return ReadText<KallsymsAnswer>(fd.get(), errno, addresses, ResolveKallsyms);
    };
    return ReaderWorker<KallsymsAnswer>::Start(info.Env(), std::move(work), KallsymsToObject);
}

KernelFunctions ListFunctionsOf(int fd, int open_error) {
    KernelFunctions answer;
    answer.name_at.push_back(0);
    answer.failure = std::string("cannot open the file: ") + strerror(open_error);
    if (fd < 0) return answer;
    Result<FileSource> source = FileSource::Open(fd);
    if (source.ok()) return ListKernelFunctions(source.value());
    answer.failure = source.status().message;
    return answer;
}

Napi::Value ListKernelFunctionsCall(const Napi::CallbackInfo &info) {
    if (!info[0].IsString()) return Misuse(info.Env(), "Expected listKernelFunctions(path: string)");
    auto work = [path = info[0].As<Napi::String>().Utf8Value()] {
        Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        return ListFunctionsOf(fd.get(), errno);
    };
    return ReaderWorker<KernelFunctions>::Start(info.Env(), std::move(work), KernelFunctionsToObject);
}

Napi::Value ResolvePerfMapCall(const Napi::CallbackInfo &info) {
    if (!info[0].IsNumber() || !IsFloat64Array(info[1])) {
        return Misuse(info.Env(), "Expected resolvePerfMap(fd: number, addresses: Float64Array)");
    }
    auto work = [fd = Duplicate(info[0]), addresses = ToVector(info[1])] {
        return ReadText<PerfMapAnswer>(fd->get(), EBADF, addresses, ResolvePerfMap);
    };
    return ReaderWorker<PerfMapAnswer>::Start(info.Env(), std::move(work), PerfMapToObject);
}

} // namespace

void RegisterSymbolReaders(Napi::Env env, Napi::Object exports) {
    exports.Set("resolveElf", Napi::Function::New(env, ResolveElfCall, "resolveElf"));
    exports.Set("findDebugFiles", Napi::Function::New(env, FindDebugFilesCall, "findDebugFiles"));
    exports.Set("resolveKallsyms", Napi::Function::New(env, ResolveKallsymsCall, "resolveKallsyms"));
    exports.Set("listKernelFunctions",
                Napi::Function::New(env, ListKernelFunctionsCall, "listKernelFunctions"));
    exports.Set("resolvePerfMap", Napi::Function::New(env, ResolvePerfMapCall, "resolvePerfMap"));
}

} // namespace emberscope
