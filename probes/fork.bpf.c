/* Tasks born, changed and gone, processes and threads alike. In sched_process_fork `current` is the parent: the one
 * that forks is the one that is counted, and a storm whose children fork on is counted under each of them and under
 * their cgroup. exit is counted, and told of who is watched; exec is counted and
 * noted with its time (memory.bpf.c, starts_up). */
#include "probes/attribute.h"

SECTION("raw_tp/sched_process_fork") int hosa_fork(__u64* ctx) {
  (void)ctx;
  struct hosa_config* config_now = settings();
  struct hosa_cpu* slot = own_slot();
  if (!config_now || !slot) return 0;
  add(&slot->forks, 1);
  __u32 tgid = current_pid_tgid() >> 32;
  if (is_own(config_now, tgid)) return 0;
  attribute(config_now, slot, HOSA_FORKS, 1);
  fill_windows(config_now, slot, HOSA_FORKS, 1, now_ns(), 0, current_cgroup(), tgid);
  return 0;
}

SECTION("raw_tp/sched_process_exec") int hosa_exec(void* ctx) {
  (void)ctx;
  struct hosa_cpu* slot = own_slot();
  if (slot) add(&slot->execs, 1);
  __u32 tgid = current_pid_tgid() >> 32;
  __u64 now = now_ns();
  map_update(&began, &tgid, &now, BPF_ANY);
  return 0;
}

SECTION("raw_tp/sched_process_exit") int hosa_exit(void* ctx) {
  (void)ctx;
  struct hosa_config* config_now = settings();
  struct hosa_cpu* slot = own_slot();
  if (!config_now || !slot) return 0;
  add(&slot->exits, 1);
  __u64 both = current_pid_tgid();
  __u32 tgid = both >> 32;
  if (tgid != (__u32)both) return 0; /* a thread, not its leader */
#pragma unroll
  for (int i = 0; i < HOSA_WATCHED; ++i)
    if (config_now->watched[i] == tgid) {
      send(slot, HOSA_EXIT, 0, now_ns(), 1, current_cgroup(), tgid);
      break;
    }
  return 0;
}
