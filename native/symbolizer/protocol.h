// The language between the agent and this executable: lines of text, fields divided by one blank.
//
// Requests (stdin), any number, until end of file:
//   lines OBJECT DEBUG ALTERNATE COUNT   descriptors open at start, -1 for none; COUNT lines follow, each an
//   ELF
//                                        address in hex without 0x
//   demangle COUNT                       COUNT lines follow, each one name
// Answers (stdout), one a request, in order:
//   s TEXT                               the next string of this answer, numbered from 0
//   a INDEX [NAME FILE LINE COLUMN START]...   frames of address INDEX, innermost inlined function first;
//   NAME and
//                                        FILE are string numbers or -1. Addresses without any are left out
//   d TEXT                               the next demangled name
//   =                                    the next name is readable as it is
//   done [KEY=COUNT]...                  end of the answer
//   failed REASON TEXT                   end of the answer; a bad request also ends the process
// Bytes below 0x20 and 0x7f in a TEXT are replaced by '?', so that no file can forge a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../status.h"
#include "dwarf_lines.h"

namespace emberscope {

struct Request {
    enum class Kind { lines, demangle };
    Kind kind = Kind::lines;
    int object_fd = -1;
    int debug_fd = -1;
    int alternate_fd = -1;
    std::vector<uint64_t> addresses;
    std::vector<std::string> names;
};

class RequestReader {
  public:
    explicit RequestReader(int fd) : fd_(fd) {}
    // True with a request in `request`, false at the end of input. Errors: invalid, io.
    Result<bool> Next(Request &request);

  private:
    Result<bool> ReadLine(std::string_view &line);
    Status ReadAddresses(size_t count, Request &request);
    Status ReadNames(size_t count, Request &request);

    int fd_;
    std::string buffer_;
    size_t position_ = 0;
};

class AnswerWriter {
  public:
    explicit AnswerWriter(int fd) : fd_(fd) {}
    void Frames(size_t index, const std::vector<SourceFrame> &frames);
    void Name(const std::string &name, const std::string &readable);
    // `counts`: "KEY=COUNT" divided by blanks. Ends the answer and forgets its strings.
    void Done(const std::string &counts);
    void Failed(const Status &status);
    void Flush();

  private:
    int64_t StringNumber(const std::string &text);
    void Text(std::string_view text);

    int fd_;
    std::string buffer_;
    std::unordered_map<std::string, int64_t> strings_;
};

} // namespace emberscope
