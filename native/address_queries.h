// The turned-round index of our symbol readers: the asked addresses are sorted, and each symbol of a file
// finds the asked addresses it concerns while it streams by. Memory depends on the question, never on the
// file, and each symbol costs O(log asked), also in a hostile file where every symbol covers every address.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "span.h"

namespace emberscope {

// The distinct asked addresses in rising order; a "position" below is an index into them.
class AddressQueries {
  public:
    explicit AddressQueries(std::vector<uint64_t> asked) : sorted_(std::move(asked)) {
        std::sort(sorted_.begin(), sorted_.end());
        sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
    }
    size_t size() const { return sorted_.size(); }
    uint64_t operator[](size_t position) const { return sorted_[position]; }
    // First position whose address is at or after `address`.
    size_t From(uint64_t address) const {
        return static_cast<size_t>(std::lower_bound(sorted_.begin(), sorted_.end(), address) -
                                   sorted_.begin());
    }
    // Position of an address that was asked.
    size_t Find(uint64_t address) const { return From(address); }

  private:
    std::vector<uint64_t> sorted_;
};

// Best candidate for each position out of candidates that cover ranges of positions: a segment tree whose
// nodes keep the best candidate offered for the whole node. `Better(a, b)`: a strict order, true when a wins
// over b.
template <typename Candidate> class CoverTree {
  public:
    explicit CoverTree(size_t positions) : leaves_(positions), nodes_(2 * positions) {}

    template <typename Better>
    void Offer(size_t first, size_t end, const Candidate &candidate, const Better &better) {
        for (size_t low = first + leaves_, high = end + leaves_; low < high; low /= 2, high /= 2) {
            if (low & 1) Keep(nodes_[low++], candidate, better);
            if (high & 1) Keep(nodes_[--high], candidate, better);
        }
    }

    template <typename Better> std::optional<Candidate> BestAt(size_t position, const Better &better) const {
        std::optional<Candidate> best;
        for (size_t node = position + leaves_; node > 0; node /= 2) {
            if (nodes_[node]) Keep(best, *nodes_[node], better);
        }
        return best;
    }

  private:
    template <typename Better>
    static void Keep(std::optional<Candidate> &slot, const Candidate &candidate, const Better &better) {
        if (!slot || better(candidate, *slot)) slot = candidate;
    }

    size_t leaves_;
    std::vector<std::optional<Candidate>> nodes_;
};

// For each position the candidate with the greatest start at or before its address, whatever its length: what
// a symbol without a size needs to know where it ends. Candidate has `start`.
template <typename Candidate> class PredecessorTable {
  public:
    explicit PredecessorTable(size_t positions) : slots_(positions) {}

    // True when a candidate starting at `start` would be looked at for `position` = queries.From(start).
    bool Wants(size_t position, uint64_t start) const {
        return position < slots_.size() && (!slots_[position] || start >= slots_[position]->start);
    }

    // `Better` decides between candidates of equal start.
    template <typename Better> void Offer(size_t position, const Candidate &candidate, const Better &better) {
        if (!Wants(position, candidate.start)) return;
        std::optional<Candidate> &slot = slots_[position];
        if (!slot || candidate.start > slot->start || better(candidate, *slot)) slot = candidate;
    }

    // Spreads each candidate to the positions after it; call once, after the last Offer.
    void Finish() {
        for (size_t position = 1; position < slots_.size(); ++position) {
            if (!slots_[position]) slots_[position] = slots_[position - 1];
        }
    }

    const std::optional<Candidate> &At(size_t position) const { return slots_[position]; }

  private:
    std::vector<std::optional<Candidate>> slots_;
};

} // namespace emberscope
