// The rows of .eh_frame or .debug_frame: the entries that an index names for a range, each run to its rows.
#pragma once

#include <vector>

#include "function_index.h"
#include "row_source.h"
#include "unpack_section.h"

namespace emberscope {

class FrameTable : public RowSource {
  public:
    // `unpacked`: what `section` reads from when it was compressed, else null.
    FrameTable(const char *name, const FrameSection &section, const Architecture &architecture,
               std::unique_ptr<FunctionIndex> index, std::string note,
               std::unique_ptr<UnpackedSection> unpacked)
        : name_(name), section_(section), architecture_(architecture), index_(std::move(index)),
          note_(std::move(note)), unpacked_(std::move(unpacked)) {}

    const char *name() const override { return name_; }
    uint64_t functions() const override { return index_->size(); }
    size_t memory() const override { return index_->memory() + (unpacked_ ? unpacked_->size() : 0); }
    std::string note() const override { return note_; }
    Status Collect(RowCollector *into) const override;

  private:
    const char *name_;
    FrameSection section_;
    const Architecture &architecture_;
    std::unique_ptr<FunctionIndex> index_;
    std::string note_;
    std::unique_ptr<UnpackedSection> unpacked_;
};

// The file's .eh_frame, null when it has none.
std::unique_ptr<RowSource> OpenEhFrame(const ElfFile &file, const Architecture &architecture);
// The file's .debug_frame or .zdebug_frame, null when it has none or when `note` says why it cannot be read.
std::unique_ptr<RowSource> OpenDebugFrame(const ElfFile &file, const Architecture &architecture,
                                          std::string *note);

} // namespace emberscope
