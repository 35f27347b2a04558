// KernelTypes: the types of the running kernel and of its modules, found by name. All names are collected first
// (want), then one pass over each BTF finds them (gather), because a pass costs milliseconds and a name nothing.
// Modules are looked at only for what the kernel itself does not have; /sys/kernel/btf holds one file for each.
#pragma once
#include <array>
#include <span>

#include "loader/btf_names.h"

namespace hosa {

struct KernelType {
  uint32_t wanted = 0;
  uint32_t id = 0;
  uint32_t home = 0;  // 0: the kernel, otherwise 1 + number of the module
};

class KernelTypes {
 public:
  // directory: where "vmlinux" and the modules' files are (/sys/kernel/btf); it is opened when something is wanted.
  explicit KernelTypes(int directory) : directory_(directory) {}
  // Types that lie in memory, for tests.
  explicit KernelTypes(const Btf& instead) : instead_(&instead) {}

  void forget_names();
  bool want(std::string_view name) { return wanted_.add(name); }
  Result<void> gather();
  // What is known without kernel BTF, for this set of names only; present() stays false. The bytes must stay.
  Result<void> stand_in(Btf types);

  // Everything of that name, flavours aside; empty when nothing is (or nothing was wanted).
  std::span<const KernelType> named(std::string_view name) const;
  std::optional<KernelType> find(std::string_view name, uint32_t kind) const;
  const Btf& btf(uint32_t home) const { return home > 0 ? modules_[home - 1].btf : instead_ ? *instead_ : kernel_; }
  // The module's name ("" for the kernel), and its BTF's descriptor, asked for once.
  std::string_view module_name(uint32_t home) const { return home == 0 ? "" : modules_[home - 1].name.view(); }
  Result<int> module_descriptor(uint32_t home);
  bool present() const { return present_; }

 private:
  struct Module {
    FixedString<63> name;
    Btf btf;
    Fd descriptor;
  };
  // Of one object; more would be odd, and what is beyond is not found.
  static constexpr std::size_t kMaxModules = 16;

  Result<void> gather_from(Btf& btf, uint32_t home, const NameSet& names, List<NamedString>& strings);
  Result<void> search_modules(const List<NamedString>& kernel_strings);
  Result<void> search_module(const char* name, const List<NamedString>& kernel_strings);

  int directory_ = -1;
  const Btf* instead_ = nullptr;
  Btf kernel_;
  bool present_ = false, tried_ = false;
  NameSet wanted_;
  List<KernelType> found_;  // by name, kernel before modules, rising identifiers
  std::array<Module, kMaxModules> modules_;
  std::size_t module_count_ = 0;
};

}  // namespace hosa
