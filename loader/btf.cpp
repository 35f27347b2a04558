#include "loader/btf.h"

#include <sys/stat.h>
#include <unistd.h>

#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr uint64_t kMaxBtfBytes = uint64_t{64} << 20;  // the largest kernel's is 10 MB; the kernel takes up to 16 MB

// How many bytes follow the 12-byte header of a type.
std::optional<uint64_t> tail_bytes(uint32_t kind, uint64_t count) {
  switch (kind) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG: return 4;
    case BTF_KIND_ARRAY: return sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_DATASEC:
    case kBtfEnum64: return 12 * count;
    case BTF_KIND_ENUM:
    case BTF_KIND_FUNC_PROTO: return 8 * count;
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: return 0;
    default: return std::nullopt;
  }
}

}  // namespace

std::string_view without_flavour(std::string_view name) {
  for (std::size_t i = name.size(); i >= 5; --i)  // x___y at least
    if (slice(name, i - 4, 3) == "___" && name[i - 5] != '_' && name[i - 1] != '_') return slice(name, 0, i - 4);
  return name;
}

Result<Btf> Btf::of_bytes(Bytes bytes) {
  Btf btf;
  btf.bytes_ = bytes;
  btf.size_ = bytes.size();
  return read(static_cast<Btf&&>(btf));
}

Result<Btf> Btf::of_file(Fd file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_error("size of BTF");
  Btf btf;
  btf.size_ = static_cast<uint64_t>(status.st_size);
  btf.file_ = std::move(file);
  if (!btf.windows_.reserve(kWindows * kWindowBytes)) return make_error(ENOMEM, "windows of BTF");
  for (std::size_t i = 0; i < kWindows; ++i)
    if (!btf.window_at_.push_back(~uint64_t{0})) return make_error(ENOMEM, "windows of BTF");
  return read(static_cast<Btf&&>(btf));
}

Result<Btf> Btf::read(Btf btf) {
  const auto header = btf.get<btf_header>(0);
  if (!header || header->magic != BTF_MAGIC) return make_error(0, "BTF has no header");
  if (btf.size_ > kMaxBtfBytes || header->hdr_len < sizeof(btf_header) || header->hdr_len > btf.size_)
    return make_error(0, "BTF header has an impossible length");
  const uint64_t body = btf.size_ - header->hdr_len;
  if (header->type_off > body || header->type_len > body - header->type_off || header->str_off > body ||
      header->str_len > body - header->str_off || header->type_off % 4 != 0)
    return make_error(0, "parts of BTF lie outside it");
  btf.types_at_ = header->hdr_len + header->type_off;
  btf.strings_at_ = header->hdr_len + header->str_off;
  btf.strings_size_ = header->str_len;
  const auto last = btf.get<char>(btf.strings_at_ + btf.strings_size_ - 1);
  if (header->str_len == 0 || !last || *last != 0) return make_error(0, "strings of BTF are not terminated");
  if (const auto indexed = btf.index_types(btf.types_at_ + header->type_len); !indexed) return indexed.error();
  return btf;
}

Result<void> Btf::index_types(uint64_t end) {
  bool room = offsets_.push_back(0) && names_.push_back(0);
  for (uint64_t at = types_at_; at < end;) {
    const auto header = get<btf_type>(at);
    if (!header || end - at < sizeof(btf_type)) return make_error(0, "type of BTF lies outside");
    const auto tail = tail_bytes(BTF_INFO_KIND(header->info), BTF_INFO_VLEN(header->info));
    if (!tail) return make_error(0, "BTF has a type of unknown kind");
    if (*tail > end - at - sizeof(btf_type)) return make_error(0, "type of BTF lies outside");
    if (header->name_off >= strings_size_) return make_error(0, "name in BTF lies outside");
    room = room && offsets_.push_back(static_cast<uint32_t>(at)) && names_.push_back(header->name_off);
    if (!room) return make_error(ENOMEM, "index BTF");
    at += sizeof(btf_type) + *tail;
  }
  return {};
}

bool Btf::copy(uint64_t at, void* out, std::size_t size) const {
  if (at > size_ || size > size_ - at) return false;
  if (!file_) {
    std::memcpy(out, bytes_.data() + at, size);
    return true;
  }
  auto* to = static_cast<unsigned char*>(out);
  while (size > 0) {
    const uint64_t number = at / kWindowBytes;
    const std::size_t slot = number % kWindows;
    unsigned char* const window = windows_.data() + slot * kWindowBytes;
    if (window_at_[slot] != number) {
      window_at_[slot] = ~uint64_t{0};
      std::size_t have = 0;
      const uint64_t start = number * kWindowBytes;
      const std::size_t want = size_ - start < kWindowBytes ? static_cast<std::size_t>(size_ - start) : kWindowBytes;
      while (have < want) {  // sysfs hands out a page at a time on some kernels
        const ssize_t got = ::pread(file_.get(), window + have, want - have, static_cast<off_t>(start + have));
        if (got <= 0) return false;
        have += static_cast<std::size_t>(got);
      }
      window_at_[slot] = number;
    }
    const std::size_t inside = at % kWindowBytes;
    const std::size_t take = kWindowBytes - inside < size ? kWindowBytes - inside : size;
    std::memcpy(to, window + inside, take);
    to += take;
    at += take;
    size -= take;
  }
  return true;
}

std::optional<BtfType> Btf::type(uint32_t id) const {
  if (id == 0) return BtfType{};
  if (id >= count()) return std::nullopt;
  const auto header = get<btf_type>(offsets_[id]);
  if (!header) return std::nullopt;
  return BtfType{id,
                 header->name_off,
                 BTF_INFO_KIND(header->info),
                 BTF_INFO_VLEN(header->info),
                 BTF_INFO_KFLAG(header->info) != 0,
                 header->type,
                 uint64_t{offsets_[id]} + sizeof(btf_type)};
}

std::optional<BtfMember> Btf::member(const BtfType& type, uint32_t index) const {
  if ((type.kind != BTF_KIND_STRUCT && type.kind != BTF_KIND_UNION) || index >= type.count) return std::nullopt;
  const auto raw = get<btf_member>(type.tail + uint64_t{index} * sizeof(btf_member));
  if (!raw) return std::nullopt;
  BtfMember member{raw->name_off, raw->type, raw->offset, 0};
  if (type.flag) {
    member.bit_offset = BTF_MEMBER_BIT_OFFSET(raw->offset);
    member.bit_size = BTF_MEMBER_BITFIELD_SIZE(raw->offset);
  }
  return member;
}

std::optional<btf_array> Btf::array(const BtfType& type) const {
  if (type.kind != BTF_KIND_ARRAY) return std::nullopt;
  return get<btf_array>(type.tail);
}

std::optional<btf_param> Btf::parameter(const BtfType& type, uint32_t index) const {
  if (type.kind != BTF_KIND_FUNC_PROTO || index >= type.count) return std::nullopt;
  return get<btf_param>(type.tail + uint64_t{index} * sizeof(btf_param));
}

std::optional<btf_var_secinfo> Btf::variable(const BtfType& section, uint32_t index) const {
  if (section.kind != BTF_KIND_DATASEC || index >= section.count) return std::nullopt;
  return get<btf_var_secinfo>(section.tail + uint64_t{index} * sizeof(btf_var_secinfo));
}

std::optional<uint32_t> Btf::linkage(const BtfType& variable) const {
  if (variable.kind != BTF_KIND_VAR) return std::nullopt;
  return get<uint32_t>(variable.tail);
}

std::optional<uint32_t> Btf::integer(const BtfType& type) const {
  if (type.kind != BTF_KIND_INT) return std::nullopt;
  return get<uint32_t>(type.tail);
}

std::optional<Btf::Enumerator> Btf::enumerator(const BtfType& type, uint32_t index) const {
  if (index >= type.count) return std::nullopt;
  if (type.kind == BTF_KIND_ENUM) {
    const auto raw = get<btf_enum>(type.tail + uint64_t{index} * sizeof(btf_enum));
    if (!raw) return std::nullopt;
    const uint64_t value = type.flag ? static_cast<uint64_t>(int64_t{raw->val}) : static_cast<uint32_t>(raw->val);
    return Enumerator{raw->name_off, value};
  }
  if (type.kind != kBtfEnum64) return std::nullopt;
  struct Raw {
    uint32_t name, low, high;
  };
  const auto raw = get<Raw>(type.tail + uint64_t{index} * sizeof(Raw));
  if (!raw) return std::nullopt;
  return Enumerator{raw->name, uint64_t{raw->high} << 32 | raw->low};
}

BtfName Btf::name(uint32_t offset) const {
  char text[BtfName::capacity() + 1];
  if (offset >= strings_size_) return {};
  const uint64_t left = strings_size_ - offset;
  const std::size_t take = left < sizeof text ? static_cast<std::size_t>(left) : sizeof text;
  if (!copy(strings_at_ + offset, text, take)) return {};
  return BtfName(std::string_view(text, ::strnlen(text, take)));
}

std::optional<BtfType> Btf::resolved(uint32_t id) const {
  for (int depth = 0; depth < kMaxTypeDepth; ++depth) {
    const auto found = type(id);
    if (!found) return std::nullopt;
    switch (found->kind) {
      case BTF_KIND_TYPEDEF:
      case BTF_KIND_VOLATILE:
      case BTF_KIND_CONST:
      case BTF_KIND_RESTRICT:
      case BTF_KIND_TYPE_TAG: id = found->size_or_type; continue;
      default: return found;
    }
  }
  return std::nullopt;
}

std::optional<uint32_t> Btf::size_of(uint32_t id) const {
  uint64_t elements = 1;
  for (int depth = 0; depth < kMaxTypeDepth; ++depth) {
    const auto found = resolved(id);
    if (!found) return std::nullopt;
    uint64_t each = 0;
    switch (found->kind) {
      case BTF_KIND_PTR: each = 8; break;
      case BTF_KIND_ARRAY: {
        const auto shape = array(*found);
        if (!shape) return std::nullopt;
        elements *= shape->nelems;
        if (elements > UINT32_MAX) return std::nullopt;
        id = shape->type;
        continue;
      }
      case BTF_KIND_VAR: id = found->size_or_type; continue;
      case BTF_KIND_INT:
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_ENUM:
      case kBtfEnum64:
      case BTF_KIND_FLOAT:
      case BTF_KIND_DATASEC: each = found->size_or_type; break;
      default: return std::nullopt;
    }
    if (each * elements > UINT32_MAX) return std::nullopt;
    return static_cast<uint32_t>(each * elements);
  }
  return std::nullopt;
}

// One sequential pass over the strings: reading each type's name instead would jump through the file.
void Btf::find_names(std::string_view name, bool whole, List<uint32_t>& out) const {
  if (name.empty()) return;
  char block[4096];
  BtfName current;
  uint32_t start = 0;
  for (uint64_t at = 0; at < strings_size_;) {
    const uint64_t left = strings_size_ - at;
    const std::size_t take = left < sizeof block ? static_cast<std::size_t>(left) : sizeof block;
    if (!copy(strings_at_ + at, block, take)) return;
    for (std::size_t i = 0; i < take;) {
      const void* const nul = std::memchr(block + i, 0, take - i);
      const std::size_t end = nul == nullptr ? take : static_cast<std::size_t>(static_cast<const char*>(nul) - block);
      if (current.size() <= name.size() + 128) current.append({block + i, end - i});
      i = end;
      if (nul == nullptr) break;
      const std::string_view text = current.view();
      if (text == name || (!whole && slice(text, 0, name.size()) == name && without_flavour(text) == name))
        if (!out.push_back(start)) return;
      current.clear();
      start = static_cast<uint32_t>(at + ++i);
    }
    at += take;
  }
}

bool Btf::find_all(std::string_view name, bool whole, List<uint32_t>& ids) const {
  List<uint32_t> offsets;
  find_names(name, whole, offsets);
  if (offsets.empty()) return true;
  for (uint32_t id = 1; id < count(); ++id)
    for (const uint32_t offset : offsets)
      if (names_[id] == offset && !ids.push_back(id)) return false;
  return true;
}

std::optional<uint32_t> Btf::find(std::string_view name, uint32_t kind) const {
  List<uint32_t> ids;
  find_all(name, true, ids);
  for (const uint32_t id : ids) {
    const auto found = type(id);
    if (found && found->kind == kind) return id;
  }
  return std::nullopt;
}

}  // namespace hosa
