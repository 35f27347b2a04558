// perf_event_open(2), the four uses hosa has for it: carrying a BPF program on a classic tracepoint or a kprobe, and
// counting a software event per CPU without any program. Events are opened for all processes: needs CAP_PERFMON or
// root (perf_event_paranoid does not bind root).
#pragma once
#include <linux/perf_event.h>

#include <cstdint>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

// PERF_TYPE_TRACEPOINT with the id that tracefs states. Registering it switches the tracepoint on for the whole
// machine; so does it for every syscall when it is a syscall tracepoint.
Result<Fd> perf_open_tracepoint(uint64_t id);

// The kprobe PMU (4.17+): no name is left behind in tracefs, the probe goes with the descriptor.
// pmu_type: the number in /sys/bus/event_source/devices/kprobe/type.
Result<Fd> perf_open_kprobe(uint32_t pmu_type, const char* symbol);

// A counter of PERF_TYPE_SOFTWARE (PERF_COUNT_SW_PAGE_FAULTS), counting mode: no samples, no ring, no program.
Result<Fd> perf_open_software_counter(uint64_t config, int cpu);
Result<uint64_t> perf_read_counter(int event);

// Hands the program to the event and switches it on. The program runs on every CPU although the event was opened on
// CPU 0: it sits in the tracepoint's own list (kernel/trace/bpf_trace.c, perf_event_attach_bpf_prog).
Result<void> perf_run_program(int event, int program);

}  // namespace hosa
