// hosa release --all: gives everything back. Asks the running agent; where there is none, or it does not answer, undoes
// its journal itself.
#include <fcntl.h>

#include "actuate/undo.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/cgroup_mount.h"
#include "proprioception/machine.h"
#include "tools/hosa/control.h"
#include "tools/hosa/json.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

constexpr int kLockAttempts = 30;  // 3 s; a keeper's own limit is 2

int tell(const Options& options, const UndoReport& report) {
  constexpr Undone kAll[] = {Undone::restored, Undone::already, Undone::somebodys,
                             Undone::gone,     Undone::kept,    Undone::failed};
  FixedString<512> text;
  JsonLine line;
  for (const Undone outcome : kAll) {
    line.integer(undone_name(outcome), report[outcome]);
    if (report[outcome] == 0) continue;
    text.append("  ").append_number(report[outcome]).append(" ").append(undone_name(outcome)).append("\n");
  }
  if (options.json)
    say(line.finish());
  else if (report.total() == 0)
    say("nothing was held\n");
  else
    say(text.view());
  return report[Undone::failed] == 0 ? kExitOk : kExitRuntime;
}

// The journal of a directory, undone. EAGAIN: an agent or its keeper holds it; a keeper that gives back what its dead
// agent held (systemd runs this as ExecStopPost at that very moment) does so for a fraction of a second only.
Result<UndoReport> undo_in(const char* directory, std::string_view boot_id, const Roots& roots) {
  if (::access(directory, F_OK) != 0) return UndoReport{};
  for (int attempt = 1;; ++attempt) {
    auto journal = Journal::open(directory, boot_id);
    if (journal) return undo_all(*journal, roots, false);
    if (journal.error().code != EAGAIN || attempt == kLockAttempts) return journal.error();
    ::usleep(100'000);
  }
}

}  // namespace

int release_verb(const Options& options) {
  if (!options.all) return fail(make_error(0, "release takes --all"), kExitUsage);
  const char* const own[] = {options.state.c_str()};
  const std::span<const char* const> places =
      options.state.empty() ? std::span<const char* const>(kRunDirectories) : std::span<const char* const>(own);
  static char answer[ControlServer::kAnswerBytes];
  for (const char* directory : places) {
    const auto asked = ask_agent(directory, "release", answer);
    if (!asked) continue;
    say(options.json ? *asked : std::string_view("the running agent has given everything back\n"));
    return kExitOk;
  }
  auto proc = open_directory(AT_FDCWD, "/proc");
  if (!proc) return fail(proc.error(), kExitPrerequisite);
  const CgroupHome home = open_cgroup_home(*proc, ::geteuid() == 0);
  char buffer[64];
  const auto boot_id = read_file(proc->get(), "sys/kernel/random/boot_id", buffer);
  if (!boot_id) return fail(boot_id.error(), kExitPrerequisite);
  const Fd cpu_v1 = open_v1_home(*proc, "cpu");
  const Roots roots{&*proc, home.directory ? &home.directory : nullptr, cpu_v1 ? &cpu_v1 : nullptr};
  UndoReport sum;
  for (const char* directory : places) {
    const auto undone = undo_in(directory, trim(*boot_id), roots);
    if (!undone) return fail(undone.error(), kExitRuntime);
    for (int i = 0; i < 6; ++i) sum.count[i] += undone->count[i];
  }
  return tell(options, sum);
}

}  // namespace hosa
