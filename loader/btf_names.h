// NameSet: the names that are looked for in a BTF, and one pass over its strings that finds them all. A search of its
// own per name cost 112 ms for an object that asks for thirty; the pass costs 2 ms of the kernel's 2.3 MB of strings.
#pragma once
#include "loader/btf.h"

namespace hosa {

class NameSet {
 public:
  // Without its ___flavour; twice is once. False when memory is gone.
  bool add(std::string_view name);
  std::optional<uint32_t> find(std::string_view name) const;  // likewise without flavour
  std::size_t size() const { return entries_.size(); }
  std::string_view name(uint32_t number) const { return {text_.data() + entries_[number].at, entries_[number].size}; }
  void clear();

  // Appends what of the strings is wanted, with or without a flavour, by rising offset (counted on from the base's).
  Result<void> find_strings(const Btf& btf, List<NamedString>& out) const;

 private:
  struct Entry {
    uint32_t at, size, hash;
  };
  bool grow();
  void remember_start(std::string_view name);
  bool may_start(const unsigned char* text) const;

  List<char> text_;
  List<Entry> entries_;
  List<uint32_t> slots_;   // 1 + number of an entry
  List<uint64_t> starts_;  // a bit per hash of the first three letters
};

}  // namespace hosa
