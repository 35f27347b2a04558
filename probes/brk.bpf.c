/* brk calls, counted only. Two programs that do the same, of which one is attached: the kprobe costs nothing to
 * anybody else; any syscall tracepoint puts every syscall of the machine on the slow path (+27 ns), so it runs in
 * turns. */
#include "probes/bpf.h"

ALWAYS_INLINE int count(void) {
  struct hosa_cpu* slot = own_slot();
  if (slot) add(&slot->brk_calls, 1);
  return 0;
}

SECTION("kprobe/sys_brk") int hosa_brk_kprobe(void* ctx) {
  (void)ctx;
  return count();
}

SECTION("tracepoint/syscalls/sys_enter_brk") int hosa_brk_tracepoint(void* ctx) {
  (void)ctx;
  return count();
}
