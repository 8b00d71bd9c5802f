// Result of a native operation: a value, or a kind, a message and an errno. No exceptions cross our code; the
// *_binding.cc files alone turn a Status into a JavaScript error.
#pragma once

#include <string>
#include <utility>

namespace emberscope {

enum class Kind { ok, io, corrupt, not_elf, not_permitted, unsupported, invalid };

struct [[nodiscard]] Status {
    Kind kind = Kind::ok;
    std::string message;
    int error_number = 0;

    bool ok() const { return kind == Kind::ok; }
    static Status Ok() { return {}; }
    static Status Error(Kind kind, std::string message, int error_number = 0) {
        return {kind, std::move(message), error_number};
    }
};

// A value or the reason there is none. value() is only valid while ok().
template <typename T> class [[nodiscard]] Result {
  public:
    Result(T value) : value_(std::move(value)) {}
    Result(Status status) : status_(std::move(status)) {}
    bool ok() const { return status_.ok(); }
    const Status &status() const { return status_; }
    T &value() { return value_; }
    const T &value() const { return value_; }

  private:
    T value_{};
    Status status_;
};

} // namespace emberscope
