// Btf: the types of an object (section .BTF) or of the kernel (/sys/kernel/btf/vmlinux). Format: the kernel's
// Documentation/bpf/btf.rst and <linux/btf.h>. Everything is copied out on demand, so the data may lie in memory or in
// a file that is read in windows: kernel BTF is 5-6 MB and cannot be mapped before 6.16. Only 4 bytes per
// eight types (where they lie) are held. Names in a file are looked for all at once: btf_names.h.
//
// Every identifier, offset and count is hostile until checked; chains of types are followed kMaxTypeDepth steps.
#pragma once
#include <linux/btf.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "loader/bytes.h"
#include "loader/list.h"
#include "loader/sys/error.h"
#include "loader/sys/fd.h"
#include "loader/sys/mapping.h"

namespace hosa {

inline constexpr int kMaxTypeDepth = 64;
inline constexpr uint32_t kBtfEnum64 = 19;  // Linux 6.0; BTF_KIND_ENUM64 where headers have it

using BtfName = FixedString<255>;

struct BtfType {
  uint32_t id = 0;
  uint32_t name = 0;  // offset among the strings
  uint32_t kind = 0;  // BTF_KIND_*
  uint32_t count = 0;
  bool flag = false;
  uint32_t size_or_type = 0;
  uint64_t tail = 0;  // where what follows the header lies
};

struct BtfMember {
  uint32_t name = 0;
  uint32_t type = 0;
  uint32_t bit_offset = 0;
  uint32_t bit_size = 0;  // 0: not a bit field
};

// A name that was looked for: where it stands among the strings, and its number among what is wanted.
struct NamedString {
  uint32_t offset = 0;
  uint32_t wanted = 0;
};
struct NamedType {
  uint32_t wanted = 0;
  uint32_t id = 0;
};

class Btf {
 public:
  // In memory: checked and indexed at once, names too.
  static Result<Btf> of_bytes(Bytes bytes);
  // In a file: types are there after index(). Where it can be mapped it is (which costs a fifth of reading
  // it and no memory of ours), otherwise it is read in windows. base: the kernel's BTF where this is a module's, which
  // counts on from it (types and strings); it must stay where it is.
  static Result<Btf> of_file(Fd file, const Btf* base = nullptr);
  // Walks all types; appends those whose name is among `strings` (sorted by offset).
  Result<void> index(const List<NamedString>& strings, List<NamedType>& out);

  uint32_t count() const { return first_id_ + types_; }  // with type 0, void
  std::optional<BtfType> type(uint32_t id) const;
  std::optional<BtfMember> member(const BtfType& type, uint32_t index) const;
  std::optional<btf_array> array(const BtfType& type) const;
  std::optional<btf_param> parameter(const BtfType& type, uint32_t index) const;
  std::optional<btf_var_secinfo> variable(const BtfType& section, uint32_t index) const;
  std::optional<uint32_t> linkage(const BtfType& variable) const;
  std::optional<uint32_t> integer(const BtfType& type) const;  // BTF_INT_* encoding word
  struct Enumerator {
    uint32_t name = 0;
    uint64_t value = 0;  // 32-bit ones sign-extended, as libbpf takes them
  };
  std::optional<Enumerator> enumerator(const BtfType& type, uint32_t index) const;
  BtfName name(uint32_t offset) const;
  bool name_is(uint32_t offset, std::string_view name) const;

  // Past typedefs and qualifiers; nothing when the chain is broken or too long.
  std::optional<BtfType> resolved(uint32_t id) const;
  std::optional<uint32_t> size_of(uint32_t id) const;
  // In memory only: the first type of that name and kind.
  std::optional<uint32_t> find(std::string_view name, uint32_t kind) const;
  Bytes bytes() const { return bytes_; }
  uint64_t strings_at() const { return strings_at_; }

  // The strings of this BTF alone, as they lie.
  uint32_t first_string() const { return first_string_; }
  uint64_t strings_size() const { return strings_size_; }
  bool copy_strings(uint64_t at, void* out, std::size_t size) const { return read(strings_at_ + at, out, size); }

 private:
  static Result<Btf> checked(Btf btf);
  std::optional<uint64_t> place_of(uint32_t id) const;
  bool read(uint64_t at, void* out, std::size_t size) const;  // past the windows, for walks
  bool copy(uint64_t at, void* out, std::size_t size) const;
  const unsigned char* window(uint64_t number) const;
  template <class T>
  std::optional<T> get(const BtfType& type, uint64_t offset) const {
    if (type.id < first_id_) return base_->get<T>(type, offset);
    T value;
    if (!copy(type.tail + offset, &value, sizeof value)) return std::nullopt;
    return value;
  }
  Result<void> index_names();

  Bytes bytes_;
  Mapping mapping_;
  Fd file_;  // only where there are no bytes_
  const Btf* base_ = nullptr;
  uint32_t first_id_ = 0;
  uint32_t first_string_ = 0;
  uint64_t size_ = 0;
  uint64_t types_at_ = 0, types_end_ = 0;
  uint64_t strings_at_ = 0;
  uint64_t strings_size_ = 0;
  // Where every kStride-th type lies; those between are walked to. (All places of the kernel's 200,000 types cost
  // 800 KB, and more page faults than all else.)
  static constexpr uint32_t kStride = 8;
  List<uint32_t> offsets_;
  uint32_t types_ = 0;
  List<uint32_t> first_of_hash_, next_of_hash_;  // in memory only
  const unsigned char* whole() const { return file_ ? nullptr : bytes_.data(); }
  static constexpr std::size_t kWindowBytes = 4096;
  static constexpr std::size_t kWindows = 128;
  mutable List<unsigned char> windows_;
  mutable List<uint64_t> window_at_;
};

// The name without what follows ___ (a flavour: task_struct___old).
std::string_view without_flavour(std::string_view name);
uint32_t name_hash(std::string_view name);

}  // namespace hosa
