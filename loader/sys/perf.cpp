#include "loader/sys/perf.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace hosa {
namespace {

perf_event_attr zeroed() {
  perf_event_attr attr;
  std::memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  return attr;
}

Result<Fd> open_event(perf_event_attr& attr, int cpu, const char* step, std::string_view subject) {
  const long fd = ::syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (fd < 0) return errno_error(step, subject);
  return Fd(static_cast<int>(fd));
}

}  // namespace

Result<Fd> perf_open_tracepoint(uint64_t id) {
  perf_event_attr attr = zeroed();
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.config = id;
  attr.sample_period = 1;
  return open_event(attr, 0, "open tracepoint event", {});
}

Result<Fd> perf_open_kprobe(uint32_t pmu_type, const char* symbol) {
  perf_event_attr attr = zeroed();
  attr.type = pmu_type;
  attr.kprobe_func = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(symbol));
  return open_event(attr, 0, "open kprobe on", symbol);
}

Result<Fd> perf_open_software_counter(uint64_t config, int cpu) {
  perf_event_attr attr = zeroed();
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = config;
  return open_event(attr, cpu, "open software counter", {});
}

Result<uint64_t> perf_read_counter(int event) {
  uint64_t value = 0;
  const ssize_t got = ::read(event, &value, sizeof value);
  if (got < 0) return errno_error("read perf counter");
  if (got != static_cast<ssize_t>(sizeof value)) return make_error(EIO, "read perf counter");
  return value;
}

Result<void> perf_run_program(int event, int program) {
  if (::ioctl(event, PERF_EVENT_IOC_SET_BPF, program) < 0) return errno_error("give BPF program to event");
  if (::ioctl(event, PERF_EVENT_IOC_ENABLE, 0) < 0) return errno_error("enable event");
  return {};
}

}  // namespace hosa
