#include "tools/hosa_load/object_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "loader/elf.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr uint64_t kMaxObject = uint64_t{256} << 20;

// A part of the file to where it belongs; what lies outside is left to the reader of objects to find.
Result<void> read_part(int fd, const Mapping& memory, uint64_t offset, uint64_t size) {
  if (offset > memory.size() || size > memory.size() - offset) return {};
  for (uint64_t have = 0; have < size;) {
    const ssize_t got = ::pread(fd, memory.data() + offset + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read object");
    if (got == 0) return {};  // it has shrunk
    have += static_cast<uint64_t>(got);
  }
  return {};
}

bool for_debuggers(std::string_view name) {
  return slice(name, 0, 7) == ".debug_" || slice(name, 0, 11) == ".rel.debug_";
}

Result<void> read_sections(int fd, const Mapping& memory) {
  const Bytes bytes(memory.data(), memory.size());
  if (const auto read = read_part(fd, memory, 0, sizeof(Elf64_Ehdr)); !read) return read;
  const auto header = bytes.read<Elf64_Ehdr>(0);
  if (!header) return read_part(fd, memory, 0, memory.size());
  const auto table = read_part(fd, memory, header->e_shoff, uint64_t{header->e_shnum} * sizeof(Elf64_Shdr));
  if (!table) return table;
  const auto names = bytes.read<Elf64_Shdr>(header->e_shoff + uint64_t{header->e_shstrndx} * sizeof(Elf64_Shdr));
  if (names)
    if (const auto read = read_part(fd, memory, names->sh_offset, names->sh_size); !read) return read;
  const auto elf = ElfFile::open(bytes);
  for (uint32_t i = 0; elf && i < elf->section_count(); ++i) {
    const auto section = elf->section(i);
    if (!section || section->content.empty() || for_debuggers(section->name)) continue;
    const auto offset = static_cast<uint64_t>(section->content.data() - memory.data());
    if (const auto read = read_part(fd, memory, offset, section->content.size()); !read) return read;
  }
  return {};
}

}  // namespace

Result<Mapping> read_object_file(const char* path) {
  const auto file = open_file(AT_FDCWD, path);
  if (!file) return file.error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return errno_error("size of", path);
  if (status.st_size <= 0) return make_error(0, "file is empty:", path);
  if (static_cast<uint64_t>(status.st_size) > kMaxObject) return make_error(EFBIG, "file is larger than 256 MB:", path);
  auto memory = Mapping::of_memory(static_cast<std::size_t>(status.st_size));
  if (!memory) return memory;
  if (const auto read = read_sections(file->get(), *memory); !read) return read.error();
  return memory;
}

}  // namespace hosa
