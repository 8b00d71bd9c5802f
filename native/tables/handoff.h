// How two threads pass things on when neither may ever wait for the other: one of them runs at idle priority
// and can be put aside for a long time anywhere, with a lock in its hands too. So there is none.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace emberscope {

// First in, first out, any number of threads on both sides. Each cell says whose turn it is: `turn` is the
// number of the push it waits for, or that number plus one while it is filled. A thread that is put aside
// within Push() or Pop() holds up its own cell only, which the others then take for a full or an empty queue.
template <typename T> class BoundedQueue {
  public:
    // `capacity`: a power of two.
    explicit BoundedQueue(size_t capacity) : cells_(capacity), mask_(capacity - 1) {
        for (size_t i = 0; i < capacity; ++i) {
            cells_[i].turn.store(i, std::memory_order_relaxed);
        }
    }

    // False when the queue is full.
    bool Push(T item) {
        size_t number = pushes_.load(std::memory_order_relaxed);
        Cell *cell = Claim(&pushes_, &number, 0);
        if (cell == nullptr) return false;
        cell->item = std::move(item);
        cell->turn.store(number + 1, std::memory_order_release);
        return true;
    }

    // Nothing when the queue is empty.
    std::optional<T> Pop() {
        size_t number = pops_.load(std::memory_order_relaxed);
        Cell *cell = Claim(&pops_, &number, 1);
        if (cell == nullptr) return std::nullopt;
        std::optional<T> item = std::move(cell->item);
        cell->item = T{};
        cell->turn.store(number + mask_ + 1, std::memory_order_release);
        return item;
    }

  private:
    struct Cell {
        std::atomic<size_t> turn{0};
        T item{};
    };

    // The cell of the next push (`filled` 0) or pop (1), for this thread alone; nullptr when its turn has not
    // come.
    Cell *Claim(std::atomic<size_t> *counter, size_t *number, size_t filled) {
        for (;;) {
            Cell &cell = cells_[*number & mask_];
            auto early =
                static_cast<ptrdiff_t>(cell.turn.load(std::memory_order_acquire) - (*number + filled));
            if (early < 0) return nullptr;
            if (early > 0) *number = counter->load(std::memory_order_relaxed);
            else if (counter->compare_exchange_weak(*number, *number + 1, std::memory_order_relaxed))
                return &cell;
        }
    }

    std::vector<Cell> cells_;
    size_t mask_;
    std::atomic<size_t> pushes_{0}, pops_{0};
};

// Any number of threads add, one takes all there is. Bounded by whoever adds.
template <typename T> class HandoffList {
  public:
    HandoffList() = default;
    HandoffList(const HandoffList &) = delete;
    HandoffList &operator=(const HandoffList &) = delete;
    ~HandoffList() { TakeAll(); }

    void Add(T item) {
        auto *node = new Node{std::move(item), newest_.load(std::memory_order_relaxed)};
        while (!newest_.compare_exchange_weak(node->older, node, std::memory_order_release,
                                              std::memory_order_relaxed)) {
        }
    }

    // Oldest first.
    std::vector<T> TakeAll() {
        std::vector<T> items;
        Node *node = newest_.exchange(nullptr, std::memory_order_acquire);
        while (node != nullptr) {
            items.push_back(std::move(node->item));
            delete std::exchange(node, node->older);
        }
        std::reverse(items.begin(), items.end());
        return items;
    }

    bool IsEmpty() const { return newest_.load(std::memory_order_acquire) == nullptr; }

  private:
    struct Node {
        T item;
        Node *older;
    };
    std::atomic<Node *> newest_{nullptr};
};

// A message that any thread may leave and any may read. The first one stays: what follows is mostly its
// consequence.
class FirstText {
  public:
    FirstText() = default;
    FirstText(const FirstText &) = delete;
    FirstText &operator=(const FirstText &) = delete;
    ~FirstText() { delete text_.load(); }
    void Set(const std::string &text) {
        const std::string *none = nullptr;
        auto *copy = new std::string(text);
        if (!text_.compare_exchange_strong(none, copy)) delete copy;
    }
    // '' when there is none.
    std::string Get() const {
        const std::string *text = text_.load();
        return text == nullptr ? "" : *text;
    }

  private:
    std::atomic<const std::string *> text_{nullptr};
};

} // namespace emberscope
