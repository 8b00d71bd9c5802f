// Rows and names out of .gopclntab: versions, stack switches, roots, damage; then real Go programs
// against the .debug_frame that Go's linker wrote beside it.
// sources: native/cfi/*.cc native/elf_file.cc native/elf_gomodule.cc native/elf_gopclntab.cc
// sources: native/file_reader.cc
// libraries: -lz
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfi/architecture.h"
#include "cfi/frame_table.h"
#include "cfi/go_rows.h"
#include "check.h"
#include "elf_gopclntab.h"
#include "go_image.h"

using namespace emberscope;

namespace {

// "1000 cfa r7+8 ra-8 | ...", offsets of the text.
std::string TextOf(const RowSpan &span) {
    static const char *const kinds[] = {"none", "root", "cfa", "deref", "plt", "signal", "fp", "unsupported"};
    const unwind_rule &rule = span.rule;
    char text[160];
    int size = snprintf(text, sizeof text, "%lx-%lx %s", static_cast<long>(span.start - kGoText),
                        static_cast<long>(span.end - kGoText), kinds[rule.kind]);
    auto add = [&](const char *format, int one, int two) {
        size += snprintf(text + size, sizeof text - static_cast<size_t>(size), format, one, two);
    };
    if (rule.kind != RULE_CFA && rule.kind != RULE_FRAME_POINTER) return text;
    add(" r%d%+d", rule.base, rule.offset);
    if (rule.saved & SAVED_RA_REGISTER) add(" ra=r%d", rule.ra_register, 0);
    else add(" ra%+d", rule.ra_offset, 0);
    if (rule.saved & SAVED_FP_AT_CFA) add(" fp%+d", rule.fp_offset, 0);
    if (rule.saved & RULE_GUESSED) add(" guessed", 0, 0);
    return text;
}

std::string RowsOf(const std::vector<uint8_t> &bytes) {
    const MemorySource source{Bytes(bytes)};
    const Result<ElfFile> file = ElfFile::Open(source);
    if (!file.ok()) return file.status().message;
    const auto rows = OpenGoRows(file.value());
    if (!rows.ok()) return rows.status().message;
    if (!rows.value()) return "no Go program";
    RowCollector collector(kGoText, kGoText + kGoTextBytes);
    const Status status = rows.value()->Collect(&collector);
    if (!status.ok()) return status.message;
    std::string text;
    for (const RowSpan &span : collector.spans()) {
        text += (text.empty() ? "" : " | ") + TextOf(span);
    }
    return text;
}

void Same(const std::string &found, const std::string &expected, const char *claim) {
    if (!check(found == expected, claim))
        printf("  expected %s\n  found    %s\n", expected.c_str(), found.c_str());
}

// Depth 0 for 4 bytes, 8 for 3, 40 for 100, 8 for 1, 0 for 20.
const std::vector<uint8_t> kFramed = {2, 4, 16, 3, 64, 100, 63, 1, 15, 20};
const std::vector<uint8_t> kFrameless = {2, 32};
const std::string kFramedRows =
    "100-104 cfa r7+8 ra-8 | 104-107 cfa r7+16 ra-8 fp-16 | 107-16b cfa r7+48 ra-8 "
    "fp-16 | 16b-16c cfa r7+16 ra-8 fp-16 | 16c-180 cfa r7+8 ra-8";

GoImage Plain() {
    GoImage image;
    image.functions = {{0, "main.leaf", 0, kFrameless, {}}, {0x100, "main.main", 0, kFramed, {}}};
    return image;
}

void Versions() {
    for (const uint32_t magic : {kGo116, kGo118, kGo120}) {
        for (const bool named : {true, false}) {
            GoImage image = Plain();
            image.magic = magic, image.named_section = named;
            Same(RowsOf(image.Bytes()), "0-20 cfa r7+8 ra-8 | " + kFramedRows,
                 named ? "rows of each version" : "rows of a table that no section names");
        }
    }
    GoImage image = Plain();
    image.text_in_header = false;
    Same(RowsOf(image.Bytes()), "0-20 cfa r7+8 ra-8 | " + kFramedRows, "the text by the moduledata");
    image.functions.push_back({0x400, "memcpy", 0, {}, {}});
    Same(RowsOf(image.Bytes()), "0-20 cfa r7+8 ra-8 | " + kFramedRows, "C among Go has no rows of Go's");
}

std::string RowsOfOne(const char *name, uint8_t flags, const std::vector<uint8_t> &values,
                      const std::vector<uint8_t> &code, uint16_t machine = EM_X86_64) {
    GoImage image;
    image.machine = machine;
    image.functions = {{0x100, name, flags, values, code}};
    image.end = 0x120;
    return RowsOf(image.Bytes());
}

void Special() {
    const std::vector<uint8_t> push = {0x55, 0x48, 0x89, 0xe5};
    // push rbp; mov rsp,rbp; nop; mov 0x38(rdx),rsp; call *rdi; pop rbp; ret
    const std::vector<uint8_t> change = {0x55, 0x48, 0x89, 0xe5, 0x90, 0x48, 0x8b,
                                         0x62, 0x38, 0xff, 0xd7, 0x5d, 0xc3};
    const std::vector<uint8_t> depths = {2, 1, 16, 11, 15, 20};
    Same(RowsOfOne("runtime.goexit", 5, kFrameless, {}), "100-120 root", "goexit is a root");
    Same(RowsOfOne("runtime.sigtramp", 5, kFrameless, {}), "100-120 cfa r7+8 ra-8",
         "the signal handler's first function is none");
    Same(RowsOfOne("runtime.sigreturn__sigaction", 4, kFrameless, {}), "ff-120 signal",
         "a signal frame, found from its return address too");
    Same(RowsOfOne("runtime.systemstack", 6, depths, change),
         "100-101 cfa r7+8 ra-8 | 101-108 cfa r7+16 ra-8 fp-16 | 108-10c fp r6+16 ra-8 fp-16 | 10c-120 cfa "
         "r7+8 "
         "ra-8",
         "a switched stack by the frame pointer, before and after by sp");
    Same(RowsOfOne("runtime.mcall", 6, depths, change),
         "100-101 cfa r7+8 ra-8 | 101-108 cfa r7+16 ra-8 fp-16 | 108-120 root", "a stack left for good");
    Same(RowsOfOne("runtime.systemstack", 6, kFrameless, {0x90, 0x90, 0x48, 0x8b, 0x62, 0x38}),
         "100-105 cfa r7+8 ra-8 | 105-120 fp r6+16 ra-8 fp-16 guessed",
         "a switch without a frame is a guess");
    Same(RowsOfOne("internal/asm.block", 4, {2, 8, 64, 24}, {}),
         "100-108 cfa r7+8 ra-8 | 108-120 cfa r7+40 ra-8", "assembly that saves no frame pointer");
    Same(RowsOfOne("crosscall2", 4, {2, 4, 64, 28}, {0x48, 0x83, 0xec, 32, 0x48, 0x89, 0x6c, 0x24, 8}),
         "100-104 cfa r7+8 ra-8 | 104-109 cfa r7+40 ra-8 | 109-120 cfa r7+40 ra-8 fp-32",
         "assembly that saves it in a place of its own");
    Same(RowsOfOne("internal/asm.pushes", 4, depths, push),
         "100-101 cfa r7+8 ra-8 | 101-10c cfa r7+16 ra-8 fp-16 | 10c-120 cfa r7+8 ra-8",
         "assembly that pushes it");
    Same(RowsOfOne("main.f", 0, {2, 2, 64, 6}, {}, EM_AARCH64),
         "100-108 cfa r31+0 ra=r30 | 108-120 cfa r31+32 ra-32 fp-40", "arm64: return address at the bottom");
    Same(RowsOfOne("main.f", 0, {2, 32}, {}, EM_RISCV), ".gopclntab: no rules for machine 243",
         "a machine without rules");
}

void Damage() {
    const std::vector<uint8_t> sound = Plain().Bytes();
    Same(RowsOfOne("main.f", 0, {2, 8, 17, 24}, {}), "100-108 cfa r7+8 ra-8 | 108-120 unsupported",
         "a depth below the caller's");
    Same(RowsOfOne("main.f", 0, {2, 8, 0x80}, {}), "100-108 cfa r7+8 ra-8", "values that end in a number");
    std::vector<uint8_t> bytes = sound;
    bytes[kGoTableOffset] = 0;
    Same(RowsOf(bytes), "corrupt: .gopclntab at 0x502000 starts with 0x8010000ffffff00", "another magic");
    bytes = sound;
    PutAt<uint64_t>(&bytes, kGoTableOffset + 8, 1ULL << 60);
    Same(RowsOf(bytes), "corrupt: .gopclntab at 0x502000 claims 1152921504606846976 functions",
         "functions beyond number");
    PutAt<uint64_t>(&bytes, kGoTableOffset + 8, 5000);
    Same(RowsOf(bytes), "corrupt: .gopclntab at 0x502000 ends beyond its section",
         "functions beyond the section");
    bytes = sound;
    PutAt<uint64_t>(&bytes, kGoTableOffset + 24, 0);
    PutAt<uint64_t>(&bytes, kGoDataOffset + 0x120 + 168, 7);
    Same(RowsOf(bytes), "corrupt: .gopclntab at 0x502000: the text it describes is nowhere named",
         "a moduledata that contradicts the table");
    // Every byte of the table wrong, one after the other: an answer each time, under the sanitizers.
    for (size_t at = 0; at < 0x700; ++at) {
        for (const uint8_t value : {0, 0x7f, 0xff}) {
            bytes = sound;
            bytes[kGoTableOffset + at] = value;
            (void)RowsOf(bytes);
        }
    }
    for (size_t size = 0x2000; size < 0x2800; size += 7) {
        (void)RowsOf({sound.begin(), sound.begin() + static_cast<long>(size)});
    }
    check(true, "damaged and cut tables give an answer");
}

void Names() {
    const std::vector<uint8_t> bytes = Plain().Bytes();
    const MemorySource source{Bytes(bytes)};
    const Result<ElfFile> file = ElfFile::Open(source);
    const Result<GoTable> table = FindGoTable(file.value());
    const AddressQueries queries(
        {kGoText - 1, kGoText, kGoText + 0xff, kGoText + 0x100, kGoText + 0x7ff, kGoText + 0x800});
    std::vector<SymbolName> names(queries.size());
    std::vector<bool> wanted(queries.size(), true);
    wanted[2] = false;
    check(NameGoFunctions(table.value(), queries, wanted, &names) == 3, "three of the asked are named");
    check(names[0].name.empty() && names[5].name.empty(),
          "none before the first function and behind the last");
    check(names[1].name == "main.leaf" && names[2].name.empty(), "names where they are wanted");
    check(names[4].name == "main.main" && names[4].start == kGoText + 0x100,
          "the name and start of a function");
}

// Our CFA at every row of the linker's .debug_frame; rows that only we know (roots, switches) are counted
// apart.
void Compare(const std::string &path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    Result<FileSource> source = FileSource::Open(fd.get());
    if (!source.ok()) return skip(path.c_str(), "was not built");
    Result<ElfFile> file = ElfFile::Open(source.value());
    std::string note;
    const Architecture *architecture = ArchitectureOf(file.value().machine());
    if (!architecture) return skip(path.c_str(), "no call frame information of its machine is read yet");
    const auto theirs = OpenDebugFrame(file.value(), *architecture, &note);
    const auto ours = OpenGoRows(file.value());
    if (!check(theirs && ours.ok() && ours.value(), "both tables of a Go program are read")) return;
    uint64_t rows = 0, special = 0, wrong = 0;
    const ElfSection *text = file.value().FindSection(".text");
    for (uint64_t start = text->address; start < text->address + text->size; start += 65536) {
        RowCollector expected(start, start + 65536), found(start, start + 65536);
        if (!theirs->Collect(&expected).ok() || !ours.value()->Collect(&found).ok()) ++wrong;
        size_t at = 0;
        for (const RowSpan &span : expected.spans()) {
            // The linker leaves out a function's last byte.
            while (at < found.spans().size() && found.spans()[at].end <= span.start)
                ++at;
            if (span.rule.kind != RULE_CFA) continue;
            ++rows;
            if (at == found.spans().size() || found.spans()[at].start > span.start) {
                ++wrong;
                continue;
            }
            const unwind_rule &rule = found.spans()[at].rule;
            if (rule.kind != RULE_CFA) ++special;
            else if (rule.base != span.rule.base || rule.offset != span.rule.offset) ++wrong;
        }
    }
    printf("%s: %lu rows, %lu of them roots and switches, %lu wrong\n", path.c_str(),
           static_cast<unsigned long>(rows), static_cast<unsigned long>(special),
           static_cast<unsigned long>(wrong));
    check(rows > 5000 && wrong == 0, "the depths of a Go program are those of its .debug_frame");
    check(special > 0 && special < 100, "few functions are special");
}

void Differential() {
    const int status = system("sh test/truth/go/build.sh build/truth/go >/dev/null 2>&1");
    if (WEXITSTATUS(status) == 3) return skip("rows of real Go programs", "no go toolchain on this machine");
    for (const char *name : {"split", "split-arm64", "switches"}) {
        Compare(std::string("build/truth/go/") + name);
    }
}

} // namespace

int main() {
    Versions();
    Special();
    Damage();
    Names();
    Differential();
    return report();
}
