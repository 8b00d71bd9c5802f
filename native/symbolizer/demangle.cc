#include "demangle.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "llvm/Demangle/Demangle.h"

namespace emberscope {
namespace {

struct Free {
    void operator()(char *text) const { std::free(text); }
};

bool IsDigits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool IsHash(std::string_view text) {
    return text.size() == 17 && text[0] == 'h' &&
           text.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

bool StartsWith(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

// Takes one compiler-made suffix off the end: ".cold", or a word and its number (".part.0"). Rust legacy
// names have
// ".." inside, so only these known words count.
std::string_view TakeSuffix(std::string_view &name) {
    static constexpr std::array<std::string_view, 8> kWords = {
        ".cold", ".part", ".isra", ".constprop", ".llvm", ".lto_priv", ".localalias", ".warm"};
    std::string_view head = name;
    const size_t dot = head.rfind('.');
    if (dot == std::string_view::npos) return {};
    if (IsDigits(head.substr(dot + 1))) head = head.substr(0, dot);
    for (std::string_view word : kWords) {
        if (head.size() <= word.size() || head.substr(head.size() - word.size()) != word) continue;
        const std::string_view suffix = name.substr(head.size() - word.size());
        name = name.substr(0, head.size() - word.size());
        return suffix;
    }
    return {};
}

std::string DecodeEscape(std::string_view escape) {
    static constexpr std::array<std::array<std::string_view, 2>, 8> kNamed = {{{"SP", "@"},
                                                                               {"BP", "*"},
                                                                               {"RF", "&"},
                                                                               {"LT", "<"},
                                                                               {"GT", ">"},
                                                                               {"LP", "("},
                                                                               {"RP", ")"},
                                                                               {"C", ","}}};
    for (const auto &[key, text] : kNamed) {
        if (escape == key) return std::string(text);
    }
    if (escape.size() < 2 || escape.size() > 3 || escape[0] != 'u') return "";
    // $u7e$ and the like; all that rustc writes this way is printable ASCII.
    uint32_t code = 0;
    for (char digit : escape.substr(1)) {
        const bool decimal = digit >= '0' && digit <= '9';
        if (!decimal && !(digit >= 'a' && digit <= 'f')) return "";
        code = code * 16 + static_cast<uint32_t>(decimal ? digit - '0' : digit - 'a' + 10);
    }
    return code >= 0x20 && code < 0x7f ? std::string(1, static_cast<char>(code)) : "";
}

// `path` is a demangled Itanium path ending in "::h" and 16 hex digits: Rust's legacy scheme.
std::string DecodeRustLegacy(std::string_view path) {
    std::string out;
    for (size_t i = 0; i < path.size();) {
        const bool starts_component = i == 0 || (i >= 2 && path[i - 1] == ':');
        if (starts_component && StartsWith(path.substr(i), "_$")) {
            ++i; // An identifier may not begin with '$', so rustc puts '_' before it.
        } else if (StartsWith(path.substr(i), "..")) {
            out += "::";
            i += 2;
        } else if (path[i] == '$') {
            const size_t end = path.find('$', i + 1);
            const std::string text =
                end == std::string_view::npos ? "" : DecodeEscape(path.substr(i + 1, end - i - 1));
            out += text.empty() ? "$" : text;
            i = text.empty() ? i + 1 : end + 1;
        } else {
            out += path[i++];
        }
    }
    return out;
}

std::string DemangleWhole(std::string_view name) {
    if (StartsWith(name, "_R")) {
        const std::unique_ptr<char, Free> text(llvm::rustDemangle(name));
        return text ? std::string(text.get()) : "";
    }
    if (!StartsWith(name, "_Z") && !StartsWith(name, "___Z")) return "";
    const std::unique_ptr<char, Free> text(llvm::itaniumDemangle(name));
    if (!text) return "";
    const std::string_view path = text.get();
    if (path.size() > 19 && path.substr(path.size() - 19, 2) == "::" &&
        IsHash(path.substr(path.size() - 17))) {
        return DecodeRustLegacy(path.substr(0, path.size() - 19));
    }
    return std::string(path);
}

} // namespace

std::string Demangle(std::string_view name) {
    if (name.size() > kMaxMangledBytes) return std::string(name);
    std::string_view core = name;
    // Our own name for the stub that calls another library's function.
    constexpr std::string_view kPlt = "@plt";
    const bool is_stub = core.size() > kPlt.size() && core.substr(core.size() - kPlt.size()) == kPlt;
    if (is_stub) core.remove_suffix(kPlt.size());
    std::string kept;
    std::string clones;
    for (std::string_view suffix = TakeSuffix(core); !suffix.empty(); suffix = TakeSuffix(core)) {
        if (StartsWith(suffix, ".llvm") || StartsWith(suffix, ".lto_priv")) continue;
        kept.insert(0, suffix);
        clones.insert(0, std::string(" [clone ").append(suffix).append("]"));
    }
    std::string text = DemangleWhole(core);
    if (text.empty()) text = std::string(core).append(kept);
    else text += clones;
    return is_stub ? text.append(kPlt) : text;
}

} // namespace emberscope
