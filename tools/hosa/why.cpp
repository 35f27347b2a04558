// hosa why: the reason for the last decision. Asked of the running agent; where none runs, found at the end of the
// audit log.
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "tools/hosa/control.h"
#include "tools/hosa/json.h"
#include "tools/hosa/json_read.h"
#include "tools/hosa/verbs.h"
#include "tools/hosa/why_sentences.h"

namespace hosa {
namespace {

char buffer[256 * 1024];  // of an agent's answer, or of the end of its log: the last hundred decisions

struct Story {
  FixedString<300> from;
  std::string_view reason, outcome, now;
};

Result<Story> ask_running(const Options& options) {
  const char* const own[] = {options.state.c_str()};
  constexpr const char* kPlaces[] = {"/run/hosa", "/var/run/hosa", "/dev/shm/hosa"};
  const std::span<const char* const> places = options.state.empty() ? std::span<const char* const>(kPlaces) : own;
  for (const char* place : places) {
    const auto answer = ask_agent(place, "why", buffer);
    if (!answer) continue;
    return Story{"the running agent", json_block(*answer, "reason"), json_block(*answer, "outcome"), *answer};
  }
  return make_error(ENOENT, "find a running agent, or an audit log at", "/var/log/hosa/audit.jsonl");
}

// The end of the file; its first line may be cut and is passed over.
Result<std::string_view> read_end(const char* path) {
  auto fd = open_file(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);
  if (!fd) return fd.error();
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0 || !S_ISREG(status.st_mode)) return errno_error("read", path);
  const auto most = static_cast<off_t>(sizeof buffer);
  const off_t from = std::max<off_t>(0, status.st_size - most);
  const ssize_t got = ::pread(fd->get(), buffer, sizeof buffer, from);
  if (got < 0) return errno_error("read", path);
  std::string_view text(buffer, static_cast<std::size_t>(got));
  if (from > 0) (void)take_line(text);
  return text;
}

Result<Story> read_log(const Options& options) {
  FixedString<300> path(options.audit.view());
  if (path.empty()) path = "/var/log/hosa/audit.jsonl";
  auto text = read_end(path.c_str());
  if (!text) return text.error();
  Story story{path, {}, {}, {}};
  for (std::string_view rest = *text; !rest.empty();) {
    const std::string_view line = take_line(rest);
    if (is_reason(line))
      story.reason = line, story.outcome = {};
    else if (is_outcome(line, story.reason))
      story.outcome = line;
  }
  return story;
}

int tell_calm(const Options& options, const Story& story) {
  FixedString<500> text("Nothing has been decided since the beginning (");
  text.append(story.from.view()).append(").");
  if (!story.now.empty()) {
    text.append(" Now: level ").append(json_value(story.now, "level")).append(", score ");
    text.append(json_value(story.now, "dbar")).append(" of ");
    std::string_view thresholds = slice(json_block(story.now, "thresholds"), 1);
    text.append(take_until(thresholds, ',')).append(".");
  }
  JsonLine line;
  line.text("from", story.from.view()).text("what", text.view());
  if (options.json) return say(line.finish()), kExitOk;
  return say(text.append("\n").view()), kExitOk;
}

int tell(const Options& options, const Story& story) {
  if (story.reason.empty()) return tell_calm(options, story);
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const WhySentences said = why_sentences(story.reason, story.outcome, static_cast<double>(now.tv_sec));
  if (!options.json) {
    FixedString<1300> text(said.what.view());
    text.append("\n").append(said.who.view()).append("\n").append(said.otherwise.view()).append("\n");
    say(text.view());
    return kExitOk;
  }
  JsonLine line;
  line.text("from", story.from.view()).text("what", said.what.view()).text("who", said.who.view());
  line.text("otherwise", said.otherwise.view()).object("reason", story.reason);
  if (!story.outcome.empty()) line.object("outcome", story.outcome);
  say(line.finish());
  return kExitOk;
}

}  // namespace

int why_verb(const Options& options) {
  if (!options.audit.empty()) {
    const auto logged = read_log(options);
    return logged ? tell(options, *logged) : fail(logged.error(), kExitRuntime);
  }
  const auto asked = ask_running(options);
  if (asked) return tell(options, *asked);
  const auto logged = options.state.empty() ? read_log(options) : Result<Story>(asked.error());
  return logged ? tell(options, *logged) : fail(asked.error(), kExitRuntime);
}

}  // namespace hosa
