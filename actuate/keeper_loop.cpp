#include "actuate/keeper_loop.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "actuate/controllers.h"
#include "actuate/kernel_setting.h"
#include "actuate/process_hold.h"
#include "actuate/room.h"

namespace hosa {
namespace {

constexpr int kWriterTenths = 100;  // at the end: a busy SD card takes seconds for a sync

uint64_t now_ns(int clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(t.tv_nsec);
}

constexpr int kSchedOther = 0;

void tell(std::string_view text) {
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

void tell_report(const char* why, const UndoReport& report) {
  FixedString<256> line("hosa-keeper: ");
  line.append(why).append(": ").append_number(report[Undone::restored]).append(" given back, ");
  line.append_number(report[Undone::somebodys]).append(" left as somebody else set them, ");
  line.append_number(report[Undone::failed]).append(" failed\n");
  tell(line.view());
}

}  // namespace

void be_scheduled_like_anybody() {
  (void)set_scheduling_policy(0, kSchedOther);
  (void)::setpriority(PRIO_PROCESS, 0, 0);
}

bool KeeperLoop::watching() const {
  return journal_.acting() || journal_.held_count() > 0;
}

bool KeeperLoop::wait() {
  pollfd sources[2] = {{socket_.get(), POLLIN, 0}, {agent_.get(), POLLIN, 0}};
  // Half a second while something is held; else it sleeps until it is spoken to.
  bool looks = watching() || !audit_.idle();
  journal_.set_watching(looks);
  // Looked at again: an agent that began to act, or wrote a line, between look and word saw us watching still and did
  // not wake us.
  if (!looks && (watching() || !journal_.audit().empty())) journal_.set_watching(looks = true);
  const int ready = ::poll(sources, agent_ ? 2 : 1, looks ? kLookMs : -1);
  if (ready < 0 && errno != EINTR) return false;
  if (agent_ && (sources[1].revents & POLLIN) != 0) return false;
  if ((sources[0].revents & (POLLIN | POLLHUP)) != 0) return serve();
  return true;
}

bool KeeperLoop::serve() {
  KeeperRequest request;
  const ssize_t got = ::recv(socket_.get(), &request, sizeof request, MSG_DONTWAIT);
  if (got == 0) return false;  // the agent closed its end
  if (got != static_cast<ssize_t>(sizeof request)) return true;
  const KeeperAnswer answer = carry_out(request);
  if (request.task == KeeperTask::switch_on) be_scheduled_like_anybody();  // it was lent more for this
  ::send(socket_.get(), &answer, sizeof answer, MSG_DONTWAIT | MSG_NOSIGNAL);
  return true;
}

Result<int> KeeperLoop::carry_out_in(const KeeperRequest& request, const Fd& cgroup, std::string_view path) {
  const int count = request.pid_count < 0 ? 0 : std::min<int>(request.pid_count, kMostGrowers);
  const std::span<const int> pids(request.pids, static_cast<std::size_t>(count));
  switch (request.task) {
    case KeeperTask::make_room: {
      const auto room = make_room(journal_, {&cgroup, request.cgroup_id, path}, request.deadline_ns);
      if (!room) return room.error();
      return move_in(cgroup, pids);
    }
    case KeeperTask::move_in: return move_in(cgroup, pids);
    case KeeperTask::close_room: {
      const auto closed = close_room(cgroup);
      if (!closed) return closed.error();
      const int entry = journal_.find(EntryKind::room, CgroupFile::none, request.cgroup_id);
      if (entry >= 0) journal_.forget(entry);
      return 0;
    }
    default: return make_error(EINVAL, "do an unknown task");
  }
}

// systemctl stop and restart remove the unit's cgroup with the room in it: then there is nothing left to close, and an
// entry that stayed would keep this process awake for ever.
Result<int> KeeperLoop::without_cgroup(const KeeperRequest& request, Error error) {
  if (request.task != KeeperTask::close_room || (error.code != ENOENT && error.code != ESTALE)) return error;
  const int entry = journal_.find(EntryKind::room, CgroupFile::none, request.cgroup_id);
  if (entry >= 0) journal_.forget(entry);
  return 0;
}

KeeperAnswer KeeperLoop::carry_out(const KeeperRequest& request) {
  KeeperAnswer answer;
  answer.id = request.id;
  answer.task = request.task;
  const uint64_t begun_ns = now_ns(CLOCK_MONOTONIC);
  const std::string_view path(request.path, ::strnlen(request.path, sizeof request.path));
  if (request.task == KeeperTask::drain_audit) {
    audit_.drain(journal_.audit());
  } else if (request.task == KeeperTask::save) {
    const auto saved = save();
    answer.error = saved ? 0 : saved.error().code;
  } else if (request.task == KeeperTask::preempt) {
    answer.count = lower(kPreemption, journal_, request.deadline_ns) ? 1 : 0;
  } else if (request.task == KeeperTask::preempt_less) {
    answer.count = undo_kind(journal_, EntryKind::preemption, *setup_.roots);
  } else if (setup_.roots->cgroup == nullptr) {
    answer.error = ENODEV;
  } else if (request.task == KeeperTask::switch_on) {
    const std::string_view word(request.word, ::strnlen(request.word, sizeof request.word));
    const auto on = switch_on(journal_, *setup_.roots->cgroup, path, word, request.deadline_ns);
    answer.error = on ? 0 : on.error().code;
  } else {
    const auto cgroup = open_cgroup(*setup_.roots->cgroup, path, request.cgroup_id);
    const auto done = cgroup ? carry_out_in(request, *cgroup, path) : without_cgroup(request, cgroup.error());
    answer.error = done ? 0 : (done.error().code != 0 ? done.error().code : EINVAL);
    answer.count = done ? *done : 0;
  }
  answer.took_us = (now_ns(CLOCK_MONOTONIC) - begun_ns) / 1000;
  return answer;
}

// One writer at a time; the agent asks again when the last file is written.
Result<void> KeeperLoop::save() {
  if (setup_.pages == nullptr) return make_error(ENODEV, "save a file");
  wait_for_writer(0);
  if (writer_ > 0) return make_error(EBUSY, "save a file");
  const auto pid = start_writer(*setup_.pages);
  if (!pid) return pid.error();
  writer_ = *pid;
  return {};
}

void KeeperLoop::wait_for_writer(int tenths) {
  for (int i = 0; writer_ > 0; ++i) {
    if (::waitpid(writer_, nullptr, WNOHANG) != 0) writer_ = -1;
    if (writer_ <= 0 || i >= tenths) return;
    ::poll(nullptr, 0, 100);
  }
}

// Before who was held: each that has its policy again competes with the rest of the work. Sixty entries of a relay took
// more than 2 s at nice 0 (6.1, one CPU), most of it to make the kernel less preemptible.
UndoReport KeeperLoop::undo_at_once(bool keep_returned) {
  (void)::setpriority(PRIO_PROCESS, 0, -20);
  const UndoReport report = undo_all(journal_, *setup_.roots, keep_returned);
  be_scheduled_like_anybody();
  return report;
}

// An agent that is stopped, frozen or stuck does not die: its pidfd never fires, its stamp grows old.
void KeeperLoop::look_at_stamp() {
  const uint64_t stamp = journal_.stamp_ns(), now = now_ns(CLOCK_MONOTONIC);
  if (stamp != 0 && now > stamp && static_cast<double>(now - stamp) * 1e-9 >= kStampLimitS) {
    const UndoReport report = undo_at_once(true);
    if (!journal_.gave_back()) {
      journal_.count_give_back();
      tell_report("the agent has not moved for 2 s", report);
    }
    return;
  }
  (void)undo_expired(journal_, *setup_.roots, now_ns(CLOCK_BOOTTIME));
}

void KeeperLoop::give_back_for_good() {
  const bool held = journal_.held_count() > 0;
  for (int attempt = 0; attempt < 50; ++attempt) {
    const UndoReport report = undo_at_once(false);
    if (held && attempt == 0) tell_report("the agent has ended", report);
    if (journal_.held_count() == 0) break;
    (void)journal_.drop_damaged();
    ::poll(nullptr, 0, 100);
  }
}

int KeeperLoop::run() {
  audit_.open(setup_.audit_path.view());
  while (wait()) {
    if (watching()) look_at_stamp();
    audit_.drain(journal_.audit());
    wait_for_writer(0);
  }
  give_back_for_good();
  audit_.drain(journal_.audit());
  wait_for_writer(kWriterTenths);
  return journal_.held_count() == 0 ? 0 : 1;
}

}  // namespace hosa
