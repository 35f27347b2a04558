// Options: the command line of every verb, checked before anything happens. A wrong word answers an Error naming it
// and the allowed range; nothing is half-applied.
#pragma once
#include <cstdint>
#include <span>

#include "loader/sys/error.h"

namespace hosa {

// What `--without` takes away, to force the next rung of a chain (spec 1).
struct ForcedRungs {
  bool bpf = false, btf = false, tracefs = false, cgroup = false, memcg = false, psi = false;
};

struct Options {
  const char* verb = "help";
  bool shadow = false, json = false, all = false, quick = false, table = false, once = false, csv = false, top = false;
  double warmup_s = -1;       // -1 = as configured
  double duration_s = 0;      // 0 = until told to stop
  double room_bytes = 0;      // 0 = the whole machine
  FixedString<256> only;      // cgroup path prefix (/...), pid:N (its tree), or part of a cgroup path or command line
  FixedString<256> audit;     // audit log file; empty = /var/log/hosa/audit.jsonl, else in the state directory
  FixedString<240> baseline;  // what was learned: a file, or none; empty = /var/lib/hosa/baseline
  FixedString<256> config;    // instead of /etc/hosa/hosa.toml
  bool unprivileged = false;  // run as far as it goes without root (demo)
  FixedString<128> state;     // state directory; empty = /run/hosa and its fallbacks
  ForcedRungs without;
  FixedString<256> file;      // record, replay: the recording; - is standard output or input
  double size_bytes = 0;      // record: at most so long a file; 0 = 64 MB
  FixedString<256> schema;    // replay: what its columns are
  bool warmup_train = false;  // replay: learn on rows whose phase or split says train
  bool strict = false;        // replay: end at the first malformed row
  double step_s = 0;          // replay: 0 = every row
  double step_or(double seconds) const { return step_s > 0 ? step_s : seconds; }
};

// Parses "250ms", "60s", "5m", "2h", or plain seconds; nothing else.
Result<double> parse_duration_s(std::string_view text);
// Parses "64M", "1G", "512K" or plain bytes.
Result<double> parse_size_bytes(std::string_view text);
Result<ForcedRungs> parse_without(std::string_view words);

// argv[1] is the verb; options may stand anywhere after it, as --name VALUE or --name=VALUE.
Result<Options> parse_options(std::span<char* const> argv);

}  // namespace hosa
