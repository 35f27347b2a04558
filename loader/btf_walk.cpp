// Walks over types: all of them once (the index), and along references (resolved, size_of).
#include <algorithm>

#include "loader/btf.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::size_t kWalkBytes = 65536;

// How many bytes follow the 12-byte header of a type: some, and some for each of what it counts. By kind, 0 to 19.
constexpr uint8_t kTail[] = {0, 4, 0, sizeof(btf_array), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0};
constexpr uint8_t kTailEach[] = {0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12};

inline std::optional<uint64_t> tail_bytes(uint32_t kind, uint64_t count) {
  if (kind == BTF_KIND_UNKN || kind > kBtfEnum64) return std::nullopt;
  return kTail[kind] + kTailEach[kind] * count;
}

uint32_t slot_of(std::string_view name, uint32_t kind) {
  return name_hash(name) ^ kind * 2654435761U;
}

// Reads forward through a BTF; bytes stay valid until the next call.
template <class Read>
class Forward {
 public:
  // whole: the bytes themselves, where they lie in memory.
  Forward(Read read, const unsigned char* whole) : read_(read), whole_(whole) {}
  bool reserve() { return whole_ != nullptr || buffer_.reserve(kWalkBytes); }
  const unsigned char* at(uint64_t position, std::size_t size, uint64_t end) {
    if (whole_ != nullptr) return end - position < size ? nullptr : whole_ + position;
    if (position < start_ || position + size > start_ + held_) {
      const std::size_t take = end - position < kWalkBytes ? static_cast<std::size_t>(end - position) : kWalkBytes;
      start_ = position;
      held_ = 0;
      if (take < size || !read_(position, buffer_.data(), take)) return nullptr;
      held_ = take;
    }
    return buffer_.data() + (position - start_);
  }

 private:
  Read read_;
  const unsigned char* whole_;
  List<unsigned char> buffer_;
  uint64_t start_ = 0;
  std::size_t held_ = 0;
};

// Which string offsets may be wanted: most are not, and this says so without a search.
class OffsetFilter {
 public:
  explicit OffsetFilter(const List<NamedString>& strings) {
    for (const NamedString& string : strings) bits_[string.offset % kBits / 64] |= uint64_t{1} << string.offset % 64;
  }
  bool may_hold(uint32_t offset) const { return (bits_[offset % kBits / 64] >> offset % 64 & 1) != 0; }

 private:
  static constexpr uint32_t kBits = 65536;
  uint64_t bits_[kBits / 64] = {};
};

}  // namespace

std::string_view without_flavour(std::string_view name) {
  for (std::size_t i = name.size(); i >= 5; --i)  // x___y at least
    if (slice(name, i - 4, 3) == "___" && name[i - 5] != '_' && name[i - 1] != '_') return slice(name, 0, i - 4);
  return name;
}

uint32_t name_hash(std::string_view name) {
  uint32_t hash = 2166136261U;  // FNV-1a, 32 bits
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
  return hash;
}

Result<void> Btf::index(const List<NamedString>& strings, List<NamedType>& out) {
  const bool fresh = types_ == 0;
  const uint64_t known_strings = first_string_ + strings_size_;
  const OffsetFilter filter(strings);
  Forward forward([this](uint64_t at, unsigned char* to, std::size_t size) { return read(at, to, size); }, whole());
  bool room = forward.reserve() && offsets_.reserve((types_end_ - types_at_) / 16 / kStride + 1);
  if (fresh && first_id_ == 0) types_ = 1;  // void, which lies nowhere
  uint32_t id = first_id_ == 0 ? 1 : first_id_;
  for (uint64_t at = types_at_; at < types_end_; ++id) {
    const unsigned char* const bytes = forward.at(at, sizeof(btf_type), types_end_);
    if (bytes == nullptr) return make_error(0, "type of BTF lies outside");
    btf_type header;
    std::memcpy(&header, bytes, sizeof header);
    const auto tail = tail_bytes(BTF_INFO_KIND(header.info), BTF_INFO_VLEN(header.info));
    if (!tail) return make_error(0, "BTF has a type of unknown kind");
    if (*tail > types_end_ - at - sizeof(btf_type)) return make_error(0, "type of BTF lies outside");
    if (header.name_off >= known_strings) return make_error(0, "name in BTF lies outside");
    if (fresh && types_ / kStride == offsets_.size()) room = room && offsets_.push_back(static_cast<uint32_t>(at));
    if (fresh) ++types_;
    if (filter.may_hold(header.name_off)) {
      const auto* const found = std::lower_bound(strings.begin(), strings.end(), header.name_off,
                                                 [](const NamedString& a, uint32_t b) { return a.offset < b; });
      if (found != strings.end() && found->offset == header.name_off) room = room && out.push_back({found->wanted, id});
    }
    if (!room) return make_error(ENOMEM, "index BTF");
    at += sizeof(btf_type) + *tail;
  }
  return {};
}

// From the nearest type whose place is held.
std::optional<uint64_t> Btf::place_of(uint32_t id) const {
  const uint32_t number = id - first_id_;
  uint64_t at = offsets_[number / kStride];
  uint32_t here = number / kStride * kStride;
  if (here == 0 && first_id_ == 0) here = 1;
  for (; here < number; ++here) {
    btf_type header;
    if (!copy(at, &header, sizeof header)) return std::nullopt;
    const auto tail = tail_bytes(BTF_INFO_KIND(header.info), BTF_INFO_VLEN(header.info));
    if (!tail) return std::nullopt;
    at += sizeof header + *tail;
  }
  return at;
}

// Chains of types of one kind whose names have the same hash, lowest identifier first.
Result<void> Btf::index_names() {
  std::size_t slots = 8;
  while (slots < types_) slots *= 2;
  bool room = first_of_hash_.reserve(slots) && next_of_hash_.reserve(types_);
  for (std::size_t i = 0; i < slots; ++i) room = room && first_of_hash_.push_back(0);
  for (std::size_t i = 0; i < types_; ++i) room = room && next_of_hash_.push_back(0);
  if (!room) return make_error(ENOMEM, "index names of BTF");
  for (uint32_t id = count() - 1; id > 0; --id) {
    const auto header = type(id);
    uint32_t& first = first_of_hash_[slot_of(name(header->name).view(), header->kind) & (slots - 1)];
    next_of_hash_[id] = first;
    first = id;
  }
  return {};
}

std::optional<uint32_t> Btf::find(std::string_view wanted, uint32_t kind) const {
  if (first_of_hash_.empty()) return std::nullopt;
  uint32_t id = first_of_hash_[slot_of(wanted, kind) & (first_of_hash_.size() - 1)];
  for (; id != 0; id = next_of_hash_[id]) {
    const auto found = type(id);
    if (found && found->kind == kind && name_is(found->name, wanted)) return id;
  }
  return std::nullopt;
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

}  // namespace hosa
