// What every symbol reader answers: rows of (name, start), names stored once. See ResolvedSymbols in
// symbols.ts.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace emberscope {

// Distinct strings in order of first use.
class NameTable {
  public:
    int32_t Intern(const std::string &text) {
        auto [entry, added] = index_.try_emplace(text, static_cast<int32_t>(names_.size()));
        if (added) names_.push_back(text);
        return entry->second;
    }
    const std::vector<std::string> &names() const { return names_; }

  private:
    std::unordered_map<std::string, int32_t> index_;
    std::vector<std::string> names_;
};

struct ResolvedNames {
    explicit ResolvedNames(size_t rows = 0) : name(rows, -1), symbol_start(rows, std::nan("")) {}
    std::vector<int32_t> name;        // index into names, -1 without a symbol
    std::vector<double> symbol_start; // NaN without a symbol
    NameTable names;
};

} // namespace emberscope
