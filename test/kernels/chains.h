// SPDX-License-Identifier: Apache-2.0
// Stacks of the known program as function names, and whether they are the ones its source allows.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

// Function names by address, from `nm -S` of the known program, which lies at `base`.
class Symbols {
  public:
    // Lines "address size type name"; others are no functions. An unreadable list is empty.
    static Symbols Read(const char *path);
    bool empty() const { return functions_.empty(); }
    void set_base(uint64_t base) { base_ = base; }
    // OUTSIDE when the address is in no function of the program: libc, the dynamic loader, the vDSO.
    std::string NameAt(uint64_t address) const;

    static constexpr const char *OUTSIDE = "*";

  private:
    struct Function {
        uint64_t size;
        std::string name;
    };
    std::map<uint64_t, Function> functions_;
    uint64_t base_ = 0;
};

// Leaf first: the frame hit by the tick, then return addresses, which may point behind their function's end.
// Neighbours outside the program become one OUTSIDE, n > 1 neighbours of one name "name xn".
std::vector<std::string> ChainOf(std::span<const double> frames, const Symbols &symbols);

// Equal to one of `allowed`, or to its outer part: with the innermost functions not entered yet, or left
// again. The part that must be there is marked by a first "|".
bool IsAllowed(const std::vector<std::string> &chain, const std::vector<std::vector<std::string>> &allowed);

std::string Join(const std::vector<std::string> &chain);
