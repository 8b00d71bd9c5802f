#include "unpack_section.h"

#include <elf.h>
#include <zlib.h>

namespace emberscope {

namespace {

constexpr uint64_t kMaxBytes = 64 << 20;
constexpr size_t kFirstOutput = 256 * 1024;
constexpr char kOldMagic[] = "ZLIB";
constexpr size_t kOldHeader = 4 + 8; // the magic and the size

Status Unsupported(const ElfSection &section, const std::string &why) {
    return Status::Error(Kind::unsupported, section.name + " " + why);
}

bool IsOldStyle(const ElfSection &section) {
    return section.name.starts_with(".zdebug");
}

// Where the zlib stream starts.
Result<size_t> FindStream(const ElfSection &section, Bytes packed) {
    if (IsOldStyle(section)) {
        if (packed.size() > kOldHeader && std::memcmp(packed.data(), kOldMagic, sizeof kOldMagic - 1) == 0)
            return kOldHeader;
        return Status::Error(Kind::corrupt, "corrupt: " + section.name + " has no compression header");
    }
    const auto header = LoadAt<Elf64_Chdr>(packed, 0);
    if (packed.size() <= sizeof header || header.ch_type == 0)
        return Status::Error(Kind::corrupt, "corrupt: " + section.name + " has no compression header");
    if (header.ch_type == ELFCOMPRESS_ZLIB) return sizeof header;
    return Unsupported(section, "is compressed by method " + std::to_string(header.ch_type) +
                                    "; only zlib (1) is read: use `objcopy --compress-debug-sections=zlib`");
}

// Inflates until the stream ends; the output grows with what really comes out.
int Inflate(z_stream *stream, std::vector<uint8_t> *bytes) {
    int state = Z_OK;
    while (state == Z_OK && bytes->size() < kMaxBytes) {
        const size_t filled = bytes->size();
        bytes->resize(std::min<uint64_t>(std::max(kFirstOutput, filled * 2), kMaxBytes));
        stream->next_out = bytes->data() + filled;
        stream->avail_out = static_cast<uInt>(bytes->size() - filled);
        while (state == Z_OK && stream->avail_out > 0) {
            state = inflate(stream, Z_NO_FLUSH);
        }
        bytes->resize(bytes->size() - stream->avail_out);
    }
    return state;
}

} // namespace

bool IsPacked(const ElfSection &section) {
    return (section.flags & SHF_COMPRESSED) || IsOldStyle(section);
}

Result<std::unique_ptr<UnpackedSection>> UnpackSection(const ElfFile &file, const ElfSection &section) {
    Result<std::vector<uint8_t>> packed = file.ReadSection(section, kMaxBytes);
    if (!packed.ok()) return packed.status();
    Result<size_t> start = FindStream(section, packed.value());
    if (!start.ok()) return start.status();
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) return Unsupported(section, "cannot be unpacked: no memory for zlib");
    stream.next_in = packed.value().data() + start.value();
    stream.avail_in = static_cast<uInt>(packed.value().size() - start.value());
    std::vector<uint8_t> bytes;
    const int state = Inflate(&stream, &bytes);
    inflateEnd(&stream);
    if (state == Z_OK) return Unsupported(section, "unpacks to more than 64 MiB");
    if (state != Z_STREAM_END)
        return Status::Error(Kind::corrupt,
                             "corrupt: " + section.name + ": zlib error " + std::to_string(state));
    return std::make_unique<UnpackedSection>(std::move(bytes));
}

} // namespace emberscope
