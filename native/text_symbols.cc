#include "text_symbols.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "address_queries.h"
#include "text_lines.h"

namespace emberscope {

namespace {

constexpr uint64_t kMaxKallsyms = uint64_t{1} << 30;
constexpr uint64_t kMaxListedKallsyms = 256 << 20; // a real one has 5 to 20 MB
constexpr uint64_t kMaxPerfMap = uint64_t{8} << 30;
constexpr uint64_t kMaxKernelSymbol = 4 << 20;
constexpr double kSignedEnd = 9223372036854775808.0; // 2^63

// The 64 bits of an asked address; false for what is no address.
bool ToBits(double address, uint64_t *bits) {
    if (!(address >= -kSignedEnd && address < kSignedEnd)) return false;
    *bits = static_cast<uint64_t>(static_cast<int64_t>(address));
    return true;
}

double ToSigned(uint64_t bits) {
    return static_cast<double>(static_cast<int64_t>(bits));
}

AddressQueries QueriesOf(const std::vector<double> &addresses) {
    std::vector<uint64_t> asked;
    for (double address : addresses) {
        uint64_t bits = 0;
        if (ToBits(address, &bits)) asked.push_back(bits);
    }
    return AddressQueries(std::move(asked));
}

// Takes the text up to the next blank off the front of `rest`.
std::string_view TakeWord(std::string_view *rest) {
    size_t end = std::min(rest->find_first_of(" \t"), rest->size());
    std::string_view word = rest->substr(0, end);
    rest->remove_prefix(std::min(end + 1, rest->size()));
    return word;
}

bool ParseHex(std::string_view text, uint64_t *value) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, 16);
    return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

struct KernelSymbol {
    uint64_t start = 0;
    char type = 0;
    std::string name, module;
};

// "ffffffff81000000 T name" and, for modules, "\t[module]".
bool ParseKallsymsLine(std::string_view line, uint64_t *start, char *type, std::string_view *name,
                       std::string_view *module) {
    if (!ParseHex(TakeWord(&line), start)) return false;
    std::string_view type_word = TakeWord(&line);
    if (type_word.size() != 1) return false;
    *type = type_word[0];
    *name = TakeWord(&line);
    *module = line;
    if (module->starts_with('[') && module->ends_with(']')) *module = module->substr(1, module->size() - 2);
    return !name->empty();
}

bool IsText(char type) {
    return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

// Lower wins among symbols of one address: functions, then the marks of linker scripts and compilers, then
// data.
int KindRank(const KernelSymbol &symbol) {
    if (!IsText(symbol.type)) return 3;
    const std::string_view name = symbol.name;
    if (name.starts_with("__pfx_") || name.starts_with("__cfi_")) return 2;
    // One function often serves the 64-bit and the 32-bit system call: the 64-bit name is the expected one.
    if (name.starts_with("__ia32_")) return 1;
    const bool mark = name.ends_with("_text_start") || name.ends_with("_text_end") || name == "_text" ||
                      name == "_stext" || name == "_etext";
    return mark ? 1 : 0;
}

int BindingRank(char type) {
    return type == 'T' ? 0 : type == 't' ? 2 : 1;
}

bool KernelSymbolWins(const KernelSymbol &a, const KernelSymbol &b) {
    if (KindRank(a) != KindRank(b)) return KindRank(a) < KindRank(b);
    if (BindingRank(a.type) != BindingRank(b.type)) return BindingRank(a.type) < BindingRank(b.type);
    return a.name.find_first_not_of('_') < b.name.find_first_not_of('_');
}

struct MapLine {
    uint64_t start = 0;
    uint64_t offset = 0; // of the line; a later line has a greater one
    uint32_t name_skip = 0;
};

bool LaterLine(const MapLine &a, const MapLine &b) {
    return a.offset > b.offset;
}

std::string ReadMapName(WindowReader &reader, const MapLine &line, uint64_t limit) {
    static constexpr size_t kMaxName = 4096;
    std::string name = reader.String(line.offset + line.name_skip, limit, kMaxName);
    return name.substr(0, name.find('\n'));
}

bool ParseMapLine(std::string_view text, MapLine *line, uint64_t *size) {
    std::string_view rest = text;
    if (!ParseHex(TakeWord(&rest), &line->start) || !ParseHex(TakeWord(&rest), size) || rest.empty())
        return false;
    line->name_skip = static_cast<uint32_t>(text.size() - rest.size());
    return true;
}

} // namespace

KallsymsAnswer ResolveKallsyms(const ByteSource &list, const std::vector<double> &addresses) {
    KallsymsAnswer answer(addresses.size());
    const AddressQueries queries = QueriesOf(addresses);
    PredecessorTable<KernelSymbol> before(queries.size());
    LineReader lines(list, kMaxKallsyms);
    TextLine line;
    bool any = false, any_address = false;
    while (lines.Next(&line)) {
        uint64_t start = 0;
        char type = 0;
        std::string_view name, module;
        if (!ParseKallsymsLine(line.text, &start, &type, &name, &module)) continue;
        any = true;
        any_address = any_address || start != 0;
        const size_t position = queries.From(start);
        if (!before.Wants(position, start)) continue;
        before.Offer(position, KernelSymbol{start, type, std::string(name), std::string(module)},
                     KernelSymbolWins);
    }
    answer.failure = lines.status().message;
    answer.hidden = any && !any_address;
    before.Finish();
    for (size_t row = 0; row < addresses.size(); ++row) {
        uint64_t bits = 0;
        if (answer.hidden || !ToBits(addresses[row], &bits)) continue;
        const std::optional<KernelSymbol> &symbol = before.At(queries.Find(bits));
        if (!symbol || !IsText(symbol->type) || bits - symbol->start >= kMaxKernelSymbol) continue;
        answer.name[row] = answer.names.Intern(symbol->name);
        answer.module[row] = answer.modules.Intern(symbol->module);
        answer.symbol_start[row] = ToSigned(symbol->start);
    }
    return answer;
}

namespace {

// A function whose name lies in a text of many; module as an index.
struct ListedFunction {
    uint64_t start;
    uint32_t name_at, name_bytes;
    int32_t module;
    char type;
};

// Some names for one address: the same one as ResolveKallsyms() would take.
bool ListedFunctionWins(const ListedFunction &a, const ListedFunction &b, const std::string &names) {
    auto symbol = [&names](const ListedFunction &function) {
        return KernelSymbol{function.start, function.type,
                            names.substr(function.name_at, function.name_bytes), ""};
    };
    return KernelSymbolWins(symbol(a), symbol(b));
}

void Compact(const std::vector<ListedFunction> &functions, const std::string &names,
             KernelFunctions *answer) {
    for (const ListedFunction &function : functions) {
        answer->start.push_back(ToSigned(function.start));
        answer->module.push_back(function.module);
        answer->name_at.push_back(static_cast<uint32_t>(answer->names.size()));
        answer->names.insert(answer->names.end(), names.begin() + function.name_at,
                             names.begin() + function.name_at + function.name_bytes);
    }
    answer->name_at.push_back(static_cast<uint32_t>(answer->names.size()));
}

} // namespace

KernelFunctions ListKernelFunctions(const ByteSource &list) {
    KernelFunctions answer;
    answer.modules.Intern("");
    std::vector<ListedFunction> functions;
    std::string names;
    LineReader lines(list, kMaxListedKallsyms);
    TextLine line;
    bool any = false, any_address = false;
    while (lines.Next(&line)) {
        ListedFunction function{};
        std::string_view name, module;
        if (!ParseKallsymsLine(line.text, &function.start, &function.type, &name, &module)) continue;
        any = true;
        any_address = any_address || function.start != 0;
        const bool is_kernel = function.start >> 63;
        if (!is_kernel || !IsText(function.type)) continue;
        function.name_at = static_cast<uint32_t>(names.size());
        function.name_bytes = static_cast<uint32_t>(name.size());
        function.module = answer.modules.Intern(std::string(module));
        names += name;
        functions.push_back(function);
    }
    answer.failure = lines.status().message;
    answer.hidden = any && !any_address;
    // Of names that are as good as each other the first in the list stays, there as here.
    std::stable_sort(functions.begin(), functions.end(),
                     [&names](const ListedFunction &a, const ListedFunction &b) {
                         return a.start != b.start ? a.start < b.start : ListedFunctionWins(a, b, names);
                     });
    auto end =
        std::unique(functions.begin(), functions.end(),
                    [](const ListedFunction &a, const ListedFunction &b) { return a.start == b.start; });
    functions.erase(end, functions.end());
    Compact(functions, names, &answer);
    return answer;
}

PerfMapAnswer ResolvePerfMap(const ByteSource &map, const std::vector<double> &addresses) {
    PerfMapAnswer answer(addresses.size());
    const AddressQueries queries = QueriesOf(addresses);
    CoverTree<MapLine> covering(queries.size());
    const uint64_t limit = std::min(map.size(), kMaxPerfMap);
    LineReader lines(map, limit);
    TextLine text;
    while (lines.Next(&text)) {
        MapLine line{0, text.offset, 0};
        uint64_t size = 0;
        if (!ParseMapLine(text.text, &line, &size)) {
            ++answer.malformed_lines;
            continue;
        }
        const size_t first = queries.From(line.start);
        const size_t end = queries.From(AddClamped(line.start, size));
        if (first < end) covering.Offer(first, end, line, LaterLine);
    }
    answer.failure = lines.status().message;
    WindowReader names(map);
    for (size_t row = 0; row < addresses.size(); ++row) {
        uint64_t bits = 0;
        if (!ToBits(addresses[row], &bits)) continue;
        std::optional<MapLine> line = covering.BestAt(queries.Find(bits), LaterLine);
        if (!line) continue;
        std::string name = ReadMapName(names, *line, limit);
        if (name.empty()) continue;
        answer.name[row] = answer.names.Intern(name);
        answer.symbol_start[row] = ToSigned(line->start);
    }
    return answer;
}

} // namespace emberscope
