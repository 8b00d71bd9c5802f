#include "elf_debugdata.h"

#include <lzma.h>

namespace emberscope {

namespace {

constexpr uint64_t kMaxPacked = 64 << 20;
constexpr uint64_t kMaxUnpacked = 128 << 20;
constexpr uint64_t kMaxDecoderMemory = 128 << 20;
constexpr size_t kFirstOutput = 256 * 1024;

} // namespace

Result<std::vector<uint8_t>> UnpackDebugData(const ElfFile &file, const ElfSection &section) {
    Result<std::vector<uint8_t>> packed = file.ReadSection(section, kMaxPacked);
    if (!packed.ok()) return packed.status();
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, kMaxDecoderMemory, 0) != LZMA_OK) {
        return Status::Error(Kind::unsupported, ".gnu_debugdata: no memory for the xz decoder");
    }
    stream.next_in = packed.value().data();
    stream.avail_in = packed.value().size();
    std::vector<uint8_t> unpacked;
    lzma_ret state = LZMA_OK;
    while (state == LZMA_OK && unpacked.size() < kMaxUnpacked) {
        // Grows with what the data really holds, never with what it claims.
        const size_t filled = unpacked.size();
        unpacked.resize(std::min<uint64_t>(std::max(kFirstOutput, filled * 2), kMaxUnpacked));
        stream.next_out = unpacked.data() + filled;
        stream.avail_out = unpacked.size() - filled;
        while (state == LZMA_OK && stream.avail_out > 0) {
            state = lzma_code(&stream, LZMA_FINISH);
        }
        unpacked.resize(unpacked.size() - stream.avail_out);
    }
    lzma_end(&stream);
    if (state == LZMA_STREAM_END) return unpacked;
    if (state == LZMA_OK)
        return Status::Error(Kind::unsupported, ".gnu_debugdata: unpacks to more than 128 MiB");
    return Status::Error(Kind::corrupt, "corrupt: .gnu_debugdata at byte " + std::to_string(stream.total_in) +
                                            ": xz error " + std::to_string(state));
}

} // namespace emberscope
