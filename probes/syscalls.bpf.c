/* The mix of system calls, counted per number. Attached in short turns: while it is, every system call of the machine
 * takes the slow path (+67 ns, findings 6). A 32-bit program's numbers are another table's: they are counted among
 * these, which changes the mix's entropy little. */
#include "probes/bpf.h"

struct map SECTION("maps") syscalls = {BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct hosa_syscalls), 0,
                                       BPF_F_MMAPABLE};

SECTION("raw_tp/sys_enter") int hosa_syscall(__u64* ctx) {
  __u32 cpu = this_cpu();
  struct hosa_syscalls* mine = map_lookup(&syscalls, &cpu);
  if (mine) mine->calls[ctx[1] & (HOSA_SYSCALLS - 1)] += 1;
  return 0;
}
