// hosa record FILE: what is sensed here, ten times a second, as a recording (recording.h) and beside it FILE.schema.
// Bounded: 10 minutes and 64 MB unless told otherwise. `hosa sense --csv` is the same to standard output.
#include <fcntl.h>
#include <signal.h>

#include <new>

#include "tools/hosa/own_look.h"
#include "tools/hosa/recording.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr double kStepS = 0.1, kDurationS = 600, kMostDurationS = 86400, kMostBytes = 64.0 * 1024 * 1024;

alignas(OwnLook) unsigned char look_storage[sizeof(OwnLook)];
alignas(Recording) unsigned char recording_storage[sizeof(Recording)];
volatile sig_atomic_t interrupted = 0;

// One row each step, on the clock's beat; a beat that was missed is left out, its row stands for the time since the
// last.
Result<void> run(Senses& senses, Recording& recording, double step_s, double ends_s, double most_bytes) {
  double next_s = 0;
  for (double begun_s = -1, flushed_s = 0; !interrupted;) {
    const Moment& moment = senses.take(false, false, true);
    if (begun_s < 0) begun_s = next_s = flushed_s = moment.now_s;
    if (auto taken = recording.take(senses.vector().readings(), moment.now_s); !taken) return taken;
    if (moment.now_s - flushed_s >= 1) {
      flushed_s = moment.now_s;
      if (auto flushed = recording.flush(); !flushed) return flushed;
    }
    if (ends_s > 0 && moment.now_s - begun_s >= ends_s - step_s / 2) break;
    if (static_cast<double>(recording.bytes() + Recording::kRowBytes) > most_bytes) break;
    const double now_s = senses.later().now_s;
    next_s += step_s * static_cast<double>(1 + static_cast<uint64_t>(std::max(0.0, now_s - next_s) / step_s));
    sleep_s(next_s - now_s);
  }
  return recording.flush();
}

Result<Fd> make_file(std::string_view name) {
  Fd fd(::open(FixedString<264>(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return errno_error("make", name);
  return fd;
}

int tell(const Options& options, const Recording& recording, std::size_t dimensions) {
  FixedString<900> text("hosa: ");
  text.append_unsigned(recording.rows())
      .append(" rows of ")
      .append_unsigned(dimensions)
      .append(" dimensions; read by: ");
  text.append("hosa replay --schema ").append(options.file.view()).append(".schema ").append(options.file.view());
  complain(text.append("\n").view());
  return kExitOk;
}

}  // namespace

int record_verb(const Options& asked) {
  Options options = asked;
  const bool to_file = options.file != "-" && !options.csv;
  if (options.file.empty() && !options.csv)
    return fail(
        make_error(0, "usage: hosa record [--for TIME] [--step TIME] [--size SIZE] FILE (- is standard output)"),
        kExitUsage);
  const double ends_s = options.duration_s > 0 ? options.duration_s : options.csv ? 0 : kDurationS;
  if (ends_s > kMostDurationS) return fail(make_error(0, "a recording lasts at most 24h"), kExitUsage);
  Fd file;
  auto& look = *new (look_storage) OwnLook;
  options.warmup_s = 60;
  if (const auto opened = look.open(options); !opened) return fail(opened.error(), kExitPrerequisite);
  const std::span<const detect::Dimension> dimensions = look.senses.vector().dimensions();
  if (to_file) {
    auto schema = make_file(FixedString<264>(options.file.view()).append(".schema").view());
    if (!schema) return fail(schema.error(), kExitRuntime);
    if (const auto put = Recording::write_schema(dimensions, schema->get()); !put)
      return fail(put.error(), kExitRuntime);
    auto made = make_file(options.file.view());
    if (!made) return fail(made.error(), kExitRuntime);
    file = std::move(*made);
  }
  auto& recording = *new (recording_storage) Recording(dimensions, to_file ? file.get() : STDOUT_FILENO);
  struct sigaction on_interrupt {};
  on_interrupt.sa_handler = [](int) { interrupted = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &on_interrupt, nullptr);
  auto done = recording.begin();
  const double most_bytes = options.size_bytes > 0 ? options.size_bytes : options.csv ? 1e18 : kMostBytes;
  if (done) done = run(look.senses, recording, options.step_or(kStepS), ends_s, most_bytes);
  if (!done) return fail(done.error(), kExitRuntime);
  return to_file ? tell(options, recording, dimensions.size()) : kExitOk;
}

}  // namespace hosa
