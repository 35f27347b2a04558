#include "loader/btf.h"

#include <sys/stat.h>
#include <unistd.h>

namespace hosa {
namespace {

constexpr uint64_t kMaxBtfBytes = uint64_t{64} << 20;  // the largest kernel's is 10 MB; the kernel takes up to 16 MB

// What is mapped must be what is read: the first kernels that map it gave other pages on arm64.
std::optional<Mapping> map_whole(int file, uint64_t size) {
  btf_header read, seen;
  if (size < sizeof read || ::pread(file, &read, sizeof read, 0) != sizeof read) return std::nullopt;
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (data == MAP_FAILED) return std::nullopt;
  Mapping mapping = Mapping::owning(data, size);
  std::memcpy(&seen, data, sizeof seen);
  if (std::memcmp(&read, &seen, sizeof read) != 0) return std::nullopt;
  return mapping;
}

}  // namespace

Result<Btf> Btf::of_bytes(Bytes bytes) {
  Btf btf;
  btf.bytes_ = bytes;
  btf.size_ = bytes.size();
  auto read = checked(static_cast<Btf&&>(btf));
  if (!read) return read;
  List<NamedType> none;
  if (const auto indexed = read->index({}, none); !indexed) return indexed.error();
  if (const auto named = read->index_names(); !named) return named.error();
  return read;
}

Result<Btf> Btf::of_file(Fd file, const Btf* base) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return errno_error("size of BTF");
  Btf btf;
  btf.size_ = static_cast<uint64_t>(status.st_size);
  btf.base_ = base;
  if (base != nullptr) {
    btf.first_id_ = base->count();
    btf.first_string_ = static_cast<uint32_t>(base->strings_size_);
  }
  if (auto mapped = map_whole(file.get(), btf.size_)) {
    btf.mapping_ = std::move(*mapped);
    btf.bytes_ = Bytes(btf.mapping_.data(), btf.size_);
    return checked(static_cast<Btf&&>(btf));
  }
  btf.file_ = std::move(file);
  if (!btf.windows_.reserve(kWindows * kWindowBytes)) return make_error(ENOMEM, "windows of BTF");
  for (std::size_t i = 0; i < kWindows; ++i)
    if (!btf.window_at_.push_back(~uint64_t{0})) return make_error(ENOMEM, "windows of BTF");
  return checked(static_cast<Btf&&>(btf));
}

Result<Btf> Btf::checked(Btf btf) {
  btf_header header;
  if (!btf.read(0, &header, sizeof header) || header.magic != BTF_MAGIC) return make_error(0, "BTF has no header");
  if (btf.size_ > kMaxBtfBytes || header.hdr_len < sizeof(btf_header) || header.hdr_len > btf.size_)
    return make_error(0, "BTF header has an impossible length");
  const uint64_t body = btf.size_ - header.hdr_len;
  if (header.type_off > body || header.type_len > body - header.type_off || header.str_off > body ||
      header.str_len > body - header.str_off || header.type_off % 4 != 0)
    return make_error(0, "parts of BTF lie outside it");
  btf.types_at_ = header.hdr_len + header.type_off;
  btf.types_end_ = btf.types_at_ + header.type_len;
  btf.strings_at_ = header.hdr_len + header.str_off;
  btf.strings_size_ = header.str_len;
  if (header.str_len == 0 && btf.base_ != nullptr) return btf;
  char last = 1;
  if (header.str_len == 0 || !btf.read(btf.strings_at_ + header.str_len - 1, &last, 1) || last != 0)
    return make_error(0, "strings of BTF are not terminated");
  return btf;
}

bool Btf::read(uint64_t at, void* out, std::size_t size) const {
  if (at > size_ || size > size_ - at) return false;
  if (!file_) {
    std::memcpy(out, bytes_.data() + at, size);
    return true;
  }
  auto* to = static_cast<unsigned char*>(out);
  for (std::size_t have = 0; have < size;) {  // sysfs hands out a page at a time on some kernels
    const ssize_t got = ::pread(file_.get(), to + have, size - have, static_cast<off_t>(at + have));
    if (got <= 0) return false;
    have += static_cast<std::size_t>(got);
  }
  return true;
}

const unsigned char* Btf::window(uint64_t number) const {
  const std::size_t slot = number % kWindows;
  unsigned char* const bytes = windows_.data() + slot * kWindowBytes;
  if (window_at_[slot] == number) return bytes;
  const uint64_t start = number * kWindowBytes;
  window_at_[slot] = ~uint64_t{0};
  if (!read(start, bytes, size_ - start < kWindowBytes ? static_cast<std::size_t>(size_ - start) : kWindowBytes))
    return nullptr;
  window_at_[slot] = number;
  return bytes;
}

bool Btf::copy(uint64_t at, void* out, std::size_t size) const {
  if (!file_) return read(at, out, size);
  if (at > size_ || size > size_ - at) return false;
  auto* to = static_cast<unsigned char*>(out);
  while (size > 0) {
    const unsigned char* const from = window(at / kWindowBytes);
    if (from == nullptr) return false;
    const std::size_t inside = at % kWindowBytes;
    const std::size_t take = kWindowBytes - inside < size ? kWindowBytes - inside : size;
    std::memcpy(to, from + inside, take);
    to += take;
    at += take;
    size -= take;
  }
  return true;
}

std::optional<BtfType> Btf::type(uint32_t id) const {
  if (id == 0) return BtfType{};
  if (id < first_id_) return base_->type(id);
  if (id >= count()) return std::nullopt;
  const auto place = place_of(id);
  btf_type header;
  if (!place || !copy(*place, &header, sizeof header)) return std::nullopt;
  return BtfType{id,
                 header.name_off,
                 BTF_INFO_KIND(header.info),
                 BTF_INFO_VLEN(header.info),
                 BTF_INFO_KFLAG(header.info) != 0,
                 header.type,
                 *place + sizeof(btf_type)};
}

std::optional<BtfMember> Btf::member(const BtfType& type, uint32_t index) const {
  if ((type.kind != BTF_KIND_STRUCT && type.kind != BTF_KIND_UNION) || index >= type.count) return std::nullopt;
  const auto raw = get<btf_member>(type, uint64_t{index} * sizeof(btf_member));
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
  return get<btf_array>(type, 0);
}

std::optional<btf_param> Btf::parameter(const BtfType& type, uint32_t index) const {
  if (type.kind != BTF_KIND_FUNC_PROTO || index >= type.count) return std::nullopt;
  return get<btf_param>(type, uint64_t{index} * sizeof(btf_param));
}

std::optional<btf_var_secinfo> Btf::variable(const BtfType& section, uint32_t index) const {
  if (section.kind != BTF_KIND_DATASEC || index >= section.count) return std::nullopt;
  return get<btf_var_secinfo>(section, uint64_t{index} * sizeof(btf_var_secinfo));
}

std::optional<uint32_t> Btf::linkage(const BtfType& variable) const {
  if (variable.kind != BTF_KIND_VAR) return std::nullopt;
  return get<uint32_t>(variable, 0);
}

std::optional<uint32_t> Btf::integer(const BtfType& type) const {
  if (type.kind != BTF_KIND_INT) return std::nullopt;
  return get<uint32_t>(type, 0);
}

std::optional<Btf::Enumerator> Btf::enumerator(const BtfType& type, uint32_t index) const {
  if (index >= type.count) return std::nullopt;
  if (type.kind == BTF_KIND_ENUM) {
    const auto raw = get<btf_enum>(type, uint64_t{index} * sizeof(btf_enum));
    if (!raw) return std::nullopt;
    return Enumerator{raw->name_off, static_cast<uint64_t>(int64_t{raw->val})};
  }
  if (type.kind != kBtfEnum64) return std::nullopt;
  struct Raw {
    uint32_t name, low, high;
  };
  const auto raw = get<Raw>(type, uint64_t{index} * sizeof(Raw));
  if (!raw) return std::nullopt;
  return Enumerator{raw->name, uint64_t{raw->high} << 32 | raw->low};
}

BtfName Btf::name(uint32_t offset) const {
  if (offset < first_string_) return base_->name(offset);
  offset -= first_string_;
  char text[BtfName::capacity() + 1];
  if (offset >= strings_size_) return {};
  const uint64_t left = strings_size_ - offset;
  const std::size_t take = left < sizeof text ? static_cast<std::size_t>(left) : sizeof text;
  if (!copy(strings_at_ + offset, text, take)) return {};
  return BtfName(std::string_view(text, ::strnlen(text, take)));
}

bool Btf::name_is(uint32_t offset, std::string_view name) const {
  if (offset < first_string_) return base_->name_is(offset, name);
  offset -= first_string_;
  char text[BtfName::capacity() + 1];
  if (name.size() >= sizeof text || offset >= strings_size_ || name.size() >= strings_size_ - offset) return false;
  if (!copy(strings_at_ + offset, text, name.size() + 1)) return false;
  return text[name.size()] == 0 && std::memcmp(text, name.data(), name.size()) == 0;
}

}  // namespace hosa
