#include "loader/attach.h"

#include "loader/sys/bpf.h"
#include "loader/sys/file.h"
#include "loader/sys/perf.h"
#include "loader/sys/text.h"
#include "loader/tracefs.h"

namespace hosa {
namespace {

Result<Fd> with_program(Result<Fd> event, int program) {
  if (!event) return event;
  if (const auto running = perf_run_program(event->get(), program); !running) return running.error();
  return event;
}

}  // namespace

Result<Fd> attach_raw_tracepoint(const char* name, int program) {
  return bpf_open_raw_tracepoint(name, program);
}

Result<Fd> attach_tracepoint(int tracefs, std::string_view event, int program) {
  const auto id = tracepoint_id(tracefs, event);
  if (!id) return id.error();
  return with_program(perf_open_tracepoint(*id), program);
}

Result<Fd> attach_kprobe(const char* sys, const char* symbol, int program) {
  FixedString<200> path(sys);
  path.append("/bus/event_source/devices/kprobe/type");
  char buffer[32];
  const auto text = read_file(AT_FDCWD, path.c_str(), buffer);
  if (!text) return text.error();
  const auto type = to_number<uint32_t>(trim(*text));
  if (!type) return make_error(0, "not a number in", path.view());
  return with_program(perf_open_kprobe(*type, symbol), program);
}

}  // namespace hosa
