/* The compiled probes as bytes; they lie in the executable (embedded.S). */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif
extern const unsigned char hosa_probe_memory_start[], hosa_probe_memory_end[];
extern const unsigned char hosa_probe_sched_start[], hosa_probe_sched_end[];
extern const unsigned char hosa_probe_fault_start[], hosa_probe_fault_end[];
extern const unsigned char hosa_probe_block_start[], hosa_probe_block_end[];
extern const unsigned char hosa_probe_network_start[], hosa_probe_network_end[];
extern const unsigned char hosa_probe_brk_start[], hosa_probe_brk_end[];
extern const unsigned char hosa_probe_syscalls_start[], hosa_probe_syscalls_end[];
extern const unsigned char hosa_probe_reclaim_start[], hosa_probe_reclaim_end[];
extern const unsigned char hosa_probe_fork_start[], hosa_probe_fork_end[];
#ifdef __cplusplus
}
#endif
