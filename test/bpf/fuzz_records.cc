// SPDX-License-Identifier: Apache-2.0
// Feeds mutated ring records to RecordDecoder and checks what its columns promise: equal lengths, indices
// that exist, stacks described in order. Input: records of a 2-byte length and that many bytes; length 0 ends
// a batch.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "record_decode.h"

namespace {

void Require(bool holds) {
    if (!holds) abort();
}

void CheckStacks(const emberscope::SampleColumns &columns, int32_t stacks_before) {
    size_t added = columns.new_stack_pid.size();
    Require(columns.first_new_stack == stacks_before && columns.new_stack_start.size() == added + 1);
    Require(columns.new_stack_time_ns.size() == added && columns.new_stack_kernel_frames.size() == added);
    Require(columns.new_stack_start.front() == 0);
    Require(static_cast<size_t>(columns.new_stack_start.back()) == columns.frames.size());
    for (size_t i = 0; i < added; i++) {
        int32_t frames = columns.new_stack_start[i + 1] - columns.new_stack_start[i];
        Require(frames >= columns.new_stack_kernel_frames[i] && columns.new_stack_kernel_frames[i] >= 0);
    }
}

void CheckSamples(const emberscope::SampleColumns &columns, int32_t stacks) {
    size_t rows = columns.stack.size();
    Require(columns.pid.size() == rows && columns.tid.size() == rows && columns.comm.size() == rows);
    Require(columns.time_ns.size() == rows && columns.stack_end.size() == rows);
    for (size_t i = 0; i < rows; i++) {
        Require(columns.stack[i] >= 0 && columns.stack[i] < stacks);
        Require(columns.comm[i] >= 0 && static_cast<size_t>(columns.comm[i]) < columns.comms.size());
        Require(columns.stack_end[i] < STACK_END_COUNT);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    emberscope::RecordDecoder decoder;
    size_t records = 0, samples = 0;
    int32_t stacks = 0;
    auto end_batch = [&] {
        emberscope::SampleColumns columns = decoder.Take();
        int32_t known = stacks + static_cast<int32_t>(columns.new_stack_pid.size());
        CheckStacks(columns, stacks);
        CheckSamples(columns, known);
        stacks = known;
        samples += columns.stack.size();
    };
    for (size_t at = 0; at + 2 <= size;) {
        size_t length = data[at] | (static_cast<size_t>(data[at + 1]) << 8);
        at += 2;
        if (length == 0) {
            end_batch();
            continue;
        }
        length = std::min(length, size - at);
        decoder.Decode({reinterpret_cast<const std::byte *>(data + at), length});
        records++;
        at += length;
    }
    end_batch();
    Require(records == samples + decoder.malformed());
    return 0;
}
