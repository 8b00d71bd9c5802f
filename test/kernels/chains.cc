// SPDX-License-Identifier: Apache-2.0
#include "chains.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

Symbols Symbols::Read(const char *path) {
    Symbols symbols;
    FILE *file = fopen(path, "re");
    if (!file) return symbols;
    char line[512], name[256], type;
    uint64_t address, size;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "%" SCNx64 " %" SCNx64 " %c %255s", &address, &size, &type, name) == 4 &&
            (type == 't' || type == 'T'))
            symbols.functions_[address] = {size, name};
    fclose(file);
    return symbols;
}

std::string Symbols::NameAt(uint64_t address) const {
    auto after = functions_.upper_bound(address - base_);
    if (after == functions_.begin()) return OUTSIDE;
    const auto &[start, function] = *--after;
    return address - base_ - start < function.size ? function.name : OUTSIDE;
}

std::vector<std::string> ChainOf(std::span<const double> frames, const Symbols &symbols) {
    std::vector<std::string> names;
    for (size_t i = 0; i < frames.size(); i++)
        names.push_back(symbols.NameAt(static_cast<uint64_t>(frames[i]) - (i > 0)));
    std::vector<std::string> chain;
    for (auto name = names.begin(); name != names.end();) {
        auto end = std::find_if(name, names.end(), [&](const std::string &other) { return other != *name; });
        bool counts = end - name > 1 && *name != Symbols::OUTSIDE;
        chain.push_back(counts ? *name + " x" + std::to_string(end - name) : *name);
        name = end;
    }
    return chain;
}

static bool IsAllowedBy(const std::vector<std::string> &chain, std::vector<std::string> allowed) {
    auto mark = std::find(allowed.begin(), allowed.end(), "|");
    size_t required = static_cast<size_t>(allowed.end() - mark);
    if (mark == allowed.end()) required = allowed.size();
    else required--, allowed.erase(mark);
    return chain.size() >= required && chain.size() <= allowed.size() &&
           std::equal(chain.rbegin(), chain.rend(), allowed.rbegin());
}

bool IsAllowed(const std::vector<std::string> &chain, const std::vector<std::vector<std::string>> &allowed) {
    return std::any_of(allowed.begin(), allowed.end(),
                       [&](const std::vector<std::string> &one) { return IsAllowedBy(chain, one); });
}

std::string Join(const std::vector<std::string> &chain) {
    std::string text;
    for (const std::string &name : chain)
        text += (text.empty() ? "" : " < ") + name;
    return text;
}
