// Attaching loaded programs. The returned descriptor is the attachment: closing it detaches, and so does our death.
#pragma once
#include <cstdint>
#include <string_view>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

// name without its group: "mm_page_alloc". ENOENT where this kernel has no such tracepoint. 4.17+.
Result<Fd> attach_raw_tracepoint(const char* name, int program);

// event: "GROUP/NAME" as under tracefs's events/. tracefs: directory descriptor (tracefs.h).
Result<Fd> attach_tracepoint(int tracefs, std::string_view event, int program);

// symbol: a kernel function. sys: "/sys". ENOENT where the kernel has no kprobes, EPERM under lockdown.
Result<Fd> attach_kprobe(const char* sys, const char* symbol, int program);

}  // namespace hosa
