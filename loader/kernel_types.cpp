#include "loader/kernel_types.h"

#include <sys/syscall.h>

#include <algorithm>

#include "loader/sys/bpf.h"
#include "loader/sys/file.h"

namespace hosa {
namespace {

// What getdents64(2) fills in; no opendir, which allocates.
struct Entry {
  uint64_t inode;
  int64_t offset;
  uint16_t size;
  uint8_t type;
};
constexpr std::size_t kEntryHead = 19;

bool by_name(const KernelType& a, const KernelType& b) {
  if (a.wanted != b.wanted) return a.wanted < b.wanted;
  return a.home != b.home ? a.home < b.home : a.id < b.id;
}

}  // namespace

void KernelTypes::forget_names() {
  wanted_.clear();
  found_.clear();
  for (std::size_t i = 0; i < module_count_; ++i) modules_[i] = {};
  module_count_ = 0;
  if (!present_) kernel_ = {};
}

Result<void> KernelTypes::stand_in(Btf types) {
  kernel_ = std::move(types);
  List<NamedString> strings;
  if (const auto read = gather_from(kernel_, 0, wanted_, strings); !read) return read;
  found_.sort(by_name);
  return {};
}

Result<void> KernelTypes::gather_from(Btf& btf, uint32_t home, const NameSet& names, List<NamedString>& strings) {
  List<NamedType> types;
  if (const auto read = names.find_strings(btf, strings); !read) return read;
  if (const auto read = btf.index(strings, types); !read) return read;
  for (const NamedType& type : types)
    if (!found_.push_back({type.wanted, type.id, home})) return make_error(ENOMEM, "find kernel types");
  return {};
}

Result<void> KernelTypes::gather() {
  if (wanted_.size() == 0) return {};
  if (instead_ == nullptr && !tried_) {
    tried_ = true;
    auto file = open_file(directory_, "vmlinux");
    if (!file) return file.error();
    auto btf = Btf::of_file(std::move(*file));
    if (!btf) return btf.error();
    kernel_ = std::move(*btf);
    present_ = true;
  }
  if (instead_ == nullptr && !present_) return make_error(ENOENT, "open kernel BTF");
  List<NamedString> strings;
  Btf copy;
  if (instead_ != nullptr) {
    auto again = Btf::of_bytes(instead_->bytes());
    if (!again) return again.error();
    copy = std::move(*again);
    present_ = true;
  }
  if (const auto read = gather_from(instead_ ? copy : kernel_, 0, wanted_, strings); !read) return read;
  found_.sort(by_name);
  if (instead_ != nullptr) return {};
  if (const auto read = search_modules(strings); !read) return read;
  found_.sort(by_name);
  return {};
}

// What the kernel has not is looked for in every module.
Result<void> KernelTypes::search_modules(const List<NamedString>& kernel_strings) {
  bool missing = false;
  for (uint32_t i = 0; i < wanted_.size() && !missing; ++i) missing = named(wanted_.name(i)).empty();
  if (!missing) return {};
  auto listing = open_directory(directory_, ".");
  if (!listing) return {};
  char buffer[2048];
  for (;;) {
    const long got = ::syscall(SYS_getdents64, listing->get(), buffer, sizeof buffer);
    if (got <= 0) return {};
    for (long at = 0; at < got;) {
      Entry entry;
      std::memcpy(&entry, buffer + at, kEntryHead);
      const char* const name = buffer + at + kEntryHead;
      at += entry.size;
      if (name[0] == '.' || std::string_view(name) == "vmlinux") continue;
      if (const auto read = search_module(name, kernel_strings); !read) return read;
    }
  }
}

Result<void> KernelTypes::search_module(const char* name, const List<NamedString>& kernel_strings) {
  auto file = open_file(directory_, name);
  if (!file || module_count_ == kMaxModules) return {};
  auto btf = Btf::of_file(std::move(*file), &kernel_);
  if (!btf) return {};
  List<NamedString> strings;
  if (!strings.append(kernel_strings.data(), kernel_strings.size())) return make_error(ENOMEM, "find kernel types");
  const std::size_t before = found_.size();
  const auto home = static_cast<uint32_t>(module_count_ + 1);
  if (!gather_from(*btf, home, wanted_, strings)) return {};  // a broken module is the kernel's affair
  if (found_.size() == before) return {};
  modules_[module_count_].name = name;
  modules_[module_count_].btf = std::move(*btf);
  ++module_count_;
  return {};
}

std::span<const KernelType> KernelTypes::named(std::string_view name) const {
  const auto wanted = wanted_.find(name);
  if (!wanted) return {};
  const auto* const first = std::lower_bound(found_.begin(), found_.end(), *wanted,
                                             [](const KernelType& a, uint32_t b) { return a.wanted < b; });
  const auto* last = first;
  while (last != found_.end() && last->wanted == *wanted) ++last;
  return {first, last};
}

std::optional<KernelType> KernelTypes::find(std::string_view name, uint32_t kind) const {
  for (const KernelType& type : named(name)) {
    const auto found = btf(type.home).type(type.id);
    if (found && found->kind == kind && btf(type.home).name_is(found->name, name)) return type;
  }
  return std::nullopt;
}

Result<int> KernelTypes::module_descriptor(uint32_t home) {
  Module& module = modules_[home - 1];
  if (module.descriptor) return module.descriptor.get();
  uint32_t id = 0;
  for (;;) {
    const auto next = bpf_next_btf(id);
    if (!next) return make_error(ENOENT, "BTF of module", module.name.view());
    id = *next;
    auto fd = bpf_btf_by_id(id);
    if (!fd) continue;  // gone meanwhile, or not ours to see
    const auto info = bpf_btf_name(fd->get());
    if (!info || !(*info == module.name.view())) continue;
    module.descriptor = std::move(*fd);
    return module.descriptor.get();
  }
}

}  // namespace hosa
