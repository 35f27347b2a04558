// .BTF.ext: function types, source lines and CO-RE relocations, by section and offset (the kernel's btf.rst, 4.2).
#include <algorithm>

#include "loader/program_image.h"

namespace hosa {
namespace {

// Where the header of .BTF.ext tells of each part.
constexpr uint32_t kFunctions = 8, kLines = 16, kCore = 24;

// A part: the size of its records, then per section {name, count, records}. What is asked of each record (`words`
// bytes) begins it; newer compilers may append to it. add(section, record) keeps one.
using Add = bool (*)(void* list, uint32_t section, const unsigned char* record);

Result<void> read_rows(const ObjectImage& image, Bytes ext, uint32_t part, std::size_t words, void* list, Add add) {
  const auto head = ext.read<uint32_t>(4);
  if (!head || *head < part + 8) return {};
  const auto offset = ext.read<uint32_t>(part), length = ext.read<uint32_t>(part + 4);
  if (!offset || !length || *length == 0) return {};
  const auto body = ext.part(uint64_t{*head} + *offset, *length);
  const auto each = body ? body->read<uint32_t>(0) : std::nullopt;
  if (!each || *each < words || *each % 4 != 0) return make_error(0, "records of .BTF.ext lie outside");
  for (uint64_t at = 4; at < body->size();) {
    const auto name = body->read<uint32_t>(at), count = body->read<uint32_t>(at + 4);
    at += 8;
    if (!name || !count || *count == 0 || !body->holds(at, uint64_t{*count} * *each))
      return make_error(0, "records of .BTF.ext lie outside");
    const ElfSection* const section = image.find_section(image.btf.name(*name).view());
    for (uint32_t i = 0; section != nullptr && i < *count; ++i)
      if (!add(list, section->index, body->data() + at + uint64_t{i} * *each))
        return make_error(ENOMEM, "read .BTF.ext");
    at += uint64_t{*count} * *each;
  }
  return {};
}

template <class Record>
Result<void> read_part(const ObjectImage& image, Bytes ext, uint32_t part, List<Record>& out) {
  constexpr std::size_t kWords = sizeof(Record) - sizeof(uint32_t);  // all but the section
  const auto read =
      read_rows(image, ext, part, kWords, &out, [](void* list, uint32_t section, const unsigned char* at) {
        Record record;
        record.section = section;
        std::memcpy(&record.offset, at, kWords);
        return static_cast<List<Record>*>(list)->push_back(record);
      });
  out.sort([](const Record& a, const Record& b) {
    return a.section != b.section ? a.section < b.section : a.offset < b.offset;
  });
  return read;
}

}  // namespace

Result<void> read_image_records(ObjectImage& image) {
  const ElfSection* const ext = image.find_section(".BTF.ext");
  if (ext == nullptr || !image.has_btf) return {};
  if (const auto read = read_part(image, ext->content, kFunctions, image.function_types); !read) return read;
  if (const auto read = read_part(image, ext->content, kLines, image.lines); !read) return read;
  return read_part(image, ext->content, kCore, image.core);
}

}  // namespace hosa
