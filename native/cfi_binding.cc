#include "cfi_binding.h"

#include "cfi/code_coverage.h"
#include "cfi/file_rows.h"
#include "reader_worker.h"

namespace emberscope {

namespace {

struct UnwindAnswer {
    CfiSummary summary;
    CodeCoverage coverage;
    std::string failure;
};

UnwindAnswer DescribeUnwind(int fd) {
    UnwindAnswer answer;
    Result<FileSource> source = FileSource::Open(fd);
    if (!source.ok()) {
        answer.failure = source.status().message;
        return answer;
    }
    Result<std::unique_ptr<FileRows>> rows = FileRows::Open(source.value());
    Result<ElfFile> file = ElfFile::Open(source.value());
    if (!rows.ok()) answer.failure = rows.status().message;
    else if (!file.ok()) answer.failure = file.status().message;
    if (!answer.failure.empty()) return answer;
    answer.summary = rows.value()->Summary();
    answer.coverage = CoverageOf(file.value(), *rows.value());
    return answer;
}

Napi::Object UnwindToObject(Napi::Env env, const UnwindAnswer &answer) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("source", answer.summary.source);
    object.Set("functions", static_cast<double>(answer.summary.functions));
    object.Set("codeBytes", static_cast<double>(answer.coverage.code_bytes));
    object.Set("coveredBytes", static_cast<double>(answer.coverage.covered_bytes));
    object.Set("note", answer.summary.note);
    object.Set("failure", answer.failure);
    return object;
}

Napi::Value DescribeUnwindCall(const Napi::CallbackInfo &info) {
    if (!info[0].IsNumber()) return Misuse(info.Env(), "Expected describeUnwind(fd: number)");
    auto work = [fd = Duplicate(info[0])] { return DescribeUnwind(fd->get()); };
    return ReaderWorker<UnwindAnswer>::Start(info.Env(), std::move(work), UnwindToObject);
}

} // namespace

void RegisterUnwindReaders(Napi::Env env, Napi::Object exports) {
    exports.Set("describeUnwind", Napi::Function::New(env, DescribeUnwindCall, "describeUnwind"));
}

} // namespace emberscope
