// Btf: the types of an object (section .BTF) or of the kernel (/sys/kernel/btf/vmlinux). Format: the kernel's
// Documentation/bpf/btf.rst and <linux/btf.h>. Everything is copied out on demand, so the data may lie in memory or in
// a file that is read in windows: kernel BTF is 5-6 MB and cannot be mapped before about 6.15. Only 8 bytes per type
// (where it lies, how it is called) are held.
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

class Btf {
 public:
  static Result<Btf> of_bytes(Bytes bytes);
  static Result<Btf> of_file(Fd file);

  uint32_t count() const { return static_cast<uint32_t>(offsets_.size()); }  // with type 0, void
  std::optional<BtfType> type(uint32_t id) const;
  std::optional<BtfMember> member(const BtfType& type, uint32_t index) const;
  std::optional<btf_array> array(const BtfType& type) const;
  std::optional<btf_param> parameter(const BtfType& type, uint32_t index) const;
  std::optional<btf_var_secinfo> variable(const BtfType& section, uint32_t index) const;
  std::optional<uint32_t> linkage(const BtfType& variable) const;
  std::optional<uint32_t> integer(const BtfType& type) const;  // BTF_INT_* encoding word
  struct Enumerator {
    uint32_t name = 0;
    uint64_t value = 0;
  };
  std::optional<Enumerator> enumerator(const BtfType& type, uint32_t index) const;
  BtfName name(uint32_t offset) const;

  // Past typedefs and qualifiers; nothing when the chain is broken or too long.
  std::optional<BtfType> resolved(uint32_t id) const;
  std::optional<uint32_t> size_of(uint32_t id) const;
  // Appends the types of that name; whole: the name as it stands, otherwise without its ___flavour.
  bool find_all(std::string_view name, bool whole, List<uint32_t>& ids) const;
  std::optional<uint32_t> find(std::string_view name, uint32_t kind) const;
  Bytes bytes() const { return bytes_; }
  uint64_t types_at() const { return types_at_; }

 private:
  static Result<Btf> read(Btf btf);
  bool copy(uint64_t at, void* out, std::size_t size) const;
  template <class T>
  std::optional<T> get(uint64_t at) const {
    T value;
    if (!copy(at, &value, sizeof value)) return std::nullopt;
    return value;
  }
  Result<void> index_types(uint64_t end);
  void find_names(std::string_view name, bool whole, List<uint32_t>& out) const;

  Bytes bytes_;
  Fd file_;
  uint64_t size_ = 0;
  uint64_t types_at_ = 0;
  uint64_t strings_at_ = 0;
  uint64_t strings_size_ = 0;
  List<uint32_t> offsets_;
  List<uint32_t> names_;
  static constexpr std::size_t kWindowBytes = 16384;
  static constexpr std::size_t kWindows = 16;
  mutable List<unsigned char> windows_;
  mutable List<uint64_t> window_at_;
};

// The name without what follows ___ (a flavour: task_struct___old).
std::string_view without_flavour(std::string_view name);

}  // namespace hosa
