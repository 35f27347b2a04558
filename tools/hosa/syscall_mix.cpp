#include "tools/hosa/syscall_mix.h"

#include <sys/mman.h>

#include <utility>

namespace hosa {

Result<void> SyscallMix::open(uint32_t cpu_slots, Maps& maps) {
  close();
  const auto map = maps.create(
      MapSpec{"syscalls", {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(hosa_syscalls), cpu_slots, BPF_F_MMAPABLE}});
  if (!map) return map.error();
  auto memory = Mapping::of_file(*map, 0, std::size_t{cpu_slots} * sizeof(hosa_syscalls), PROT_READ);
  if (!memory) return memory.error();
  const auto opened = program_.open(HOSA_EMBEDDED(syscalls), "hosa_syscall", "sys_enter", maps);
  program_.watch(false);
  if (!opened) return opened.error();
  counts_ = std::move(*memory);
  cpu_slots_ = cpu_slots;
  return {};
}

void SyscallMix::close() {
  program_.close();
  counts_.reset();
  cpu_slots_ = 0;
}

void SyscallMix::read(Counts& sums) const {
  sums = {};
  const auto* const slots = reinterpret_cast<const hosa_syscalls*>(counts_.data());
  for (uint32_t cpu = 0; cpu < cpu_slots_; ++cpu)
    for (std::size_t number = 0; number < HOSA_SYSCALLS; ++number)
      sums[number] += __atomic_load_n(&slots[cpu].calls[number], __ATOMIC_RELAXED);
}

}  // namespace hosa
