// SPDX-License-Identifier: Apache-2.0
// Feeds mutated perf records to DecodeSidebandRecord, as they are and with the size field set right (else
// nearly all are refused at once), and checks what a decoded event promises.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "sideband.h"

static void Require(bool holds) {
    if (!holds) abort();
}

static void DecodeAndCheck(std::span<const std::byte> record) {
    emberscope::ProcessEvent event{};
    if (!emberscope::DecodeSidebandRecord(record, &event)) return;
    Require(event.kind >= 0 && event.kind < EVENT_KIND_COUNT);
    Require(event.name.size() <= record.size() && event.name.find('\0') == std::string::npos);
    Require(event.build_id.size() <= 40 && event.build_id.size() % 2 == 0);
    Require(event.build_id.find_first_not_of("0123456789abcdef") == std::string::npos);
    Require(event.kind == EVENT_MMAP ? event.end > event.start : event.end == 0);
    Require(event.build_id.empty() ||
            (event.inode == 0 && event.device_major == 0 && event.device_minor == 0));
    Require(event.kind == EVENT_FORK || event.kind == EVENT_LOST || event.extra == 0);
    Require(event.extra >= 0 || event.kind == EVENT_FORK);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    std::vector<std::byte> record(size);
    if (size > 0) std::memcpy(record.data(), data, size);
    DecodeAndCheck(record);
    if (size < 8 || size > UINT16_MAX) return 0;
    uint16_t whole = static_cast<uint16_t>(size);
    std::memcpy(record.data() + 6, &whole, sizeof(whole));
    record[0] = static_cast<std::byte>(static_cast<unsigned>(record[0]) % 12); // PERF_RECORD_* of interest
    std::memset(record.data() + 1, 0, 3);
    DecodeAndCheck(record);
    return 0;
}
