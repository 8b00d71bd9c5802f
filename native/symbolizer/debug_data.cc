#include "debug_data.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/Decompressor.h"
#include "llvm/Object/ELFObjectFile.h"

namespace emberscope {
namespace {

// Without the leading dot, as DWARFContext::create() wants them.
constexpr llvm::StringLiteral kNeeded[] = {
    "debug_info",  "debug_abbrev",   "debug_str",     "debug_line",        "debug_line_str", "debug_ranges",
    "debug_types", "debug_rnglists", "debug_aranges", "debug_str_offsets", "debug_addr",
};

bool IsNeeded(llvm::StringRef name) {
    for (llvm::StringRef needed : kNeeded) {
        if (name == needed) return true;
    }
    return false;
}

Status Corrupt(llvm::Error error) {
    return Status::Error(Kind::corrupt, "corrupt: " + llvm::toString(std::move(error)));
}

} // namespace

Result<MappedFile> MappedFile::Map(int fd) {
    struct stat info;
    // glibc's fstat() may be newfstatat(), which takes paths and is not allowed in the sandbox.
    if (syscall(SYS_fstat, fd, &info) != 0)
        return Status::Error(Kind::io, "cannot stat the descriptor", errno);
    if (!S_ISREG(info.st_mode) || info.st_size <= 0)
        return Status::Error(Kind::not_elf, "not a regular file with content");
    const size_t size = static_cast<size_t>(info.st_size);
    void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return Status::Error(Kind::io, std::string("cannot map the file: ") + strerror(errno), errno);
    MappedFile file;
    file.data_ = static_cast<const char *>(data);
    file.size_ = size;
    return file;
}

MappedFile::MappedFile(MappedFile &&other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr;
    other.size_ = 0;
}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
}

MappedFile::~MappedFile() {
    if (data_) munmap(const_cast<char *>(data_), size_);
}

Result<std::unique_ptr<DebugData>> DebugData::Open(int fd, uint64_t unpacked_limit) {
    Result<MappedFile> file = MappedFile::Map(fd);
    if (!file.ok()) return file.status();
    std::unique_ptr<DebugData> data(new DebugData());
    data->file_ = std::move(file.value());
    if (Status status = data->ReadSections(unpacked_limit); !status.ok()) return status;
    data->Renew();
    return data;
}

void DebugData::Renew() {
    auto count = [this](llvm::Error error) {
        llvm::consumeError(std::move(error));
        ++damage_;
    };
    context_.reset();
    context_ = llvm::DWARFContext::create(sections_, address_size_, little_endian_, count, count);
}

Status DebugData::ReadSections(uint64_t unpacked_limit) {
    auto object = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(file_.bytes(), "file"));
    if (!object) return Status::Error(Kind::not_elf, llvm::toString(object.takeError()));
    little_endian_ = (*object)->isLittleEndian();
    address_size_ = (*object)->getBytesInAddress();
    for (const llvm::object::SectionRef &section : (*object)->sections()) {
        llvm::Expected<llvm::StringRef> name = section.getName();
        if (!name) {
            llvm::consumeError(name.takeError());
            ++damage_;
            continue;
        }
        if (!name->consume_front(".") || !IsNeeded(*name) || section.isVirtual()) continue;
        llvm::Expected<llvm::StringRef> contents = section.getContents();
        if (!contents) return Corrupt(contents.takeError());
        const bool compressed = llvm::object::ELFSectionRef(section).getFlags() & llvm::ELF::SHF_COMPRESSED;
        Status status =
            compressed ? AddCompressed(*name, *contents, unpacked_limit) : AddSection(*name, *contents);
        if (!status.ok()) return status;
    }
    return Status::Ok();
}

Status DebugData::AddSection(llvm::StringRef name, llvm::StringRef contents) {
    sections_[name] = llvm::MemoryBuffer::getMemBuffer(contents, "", /*RequiresNullTerminator=*/false);
    return Status::Ok();
}

Status DebugData::AddCompressed(llvm::StringRef name, llvm::StringRef contents, uint64_t unpacked_limit) {
    auto decompressor =
        llvm::object::Decompressor::create(name, contents, little_endian_, address_size_ == 8);
    if (!decompressor) return Corrupt(decompressor.takeError());
    const uint64_t size = decompressor->getDecompressedSize();
    if (size > unpacked_limit - unpacked_bytes_) {
        return Status::Error(Kind::unsupported, "too big: ." + name.str() + " unpacks to " +
                                                    std::to_string(size) + " bytes, beyond the limit of " +
                                                    std::to_string(unpacked_limit));
    }
    auto buffer = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(size);
    if (!buffer) return Status::Error(Kind::unsupported, "too big: no memory for ." + name.str());
    unpacked_bytes_ += size;
    llvm::MutableArrayRef<uint8_t> out(reinterpret_cast<uint8_t *>(buffer->getBufferStart()), size);
    if (llvm::Error error = decompressor->decompress(out)) return Corrupt(std::move(error));
    sections_[name] = std::move(buffer);
    return Status::Ok();
}

} // namespace emberscope
