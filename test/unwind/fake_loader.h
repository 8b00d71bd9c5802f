// A loader that only notes what it was asked for: tests of the tracker need no rows. Included once a program.
#pragma once

#include <cstddef>

#include "tables/page_loader.h"

namespace emberscope {

inline size_t asked_cached; // calls of AskCached()

struct PageLoader::State {};
PageLoader::PageLoader(const std::string &, uint64_t, OpenRows) {}
PageLoader::~PageLoader() = default;
Result<std::unique_ptr<FileRows>> FileRows::Open(const ByteSource &) {
    return Status::Error(Kind::unsupported, "no rows in this test");
}
void PageLoader::AskCached(const std::shared_ptr<TableFile> &) {
    asked_cached++;
}

} // namespace emberscope
