// Configuration: /etc/hosa/hosa.toml, then hosa.toml.d/*.toml in the order of their names. None is needed. An unknown
// key or a bad value is an Error that names file:line and the allowed range; nothing of a bad file is used.
//
// The subset of TOML that is read: comments, [sections], key = value with strings "...", numbers, true/false, and
// arrays of strings on one line. Keys are written with their section: protection.patterns.
//   [run]         warmup = "5m"   shadow = false   audit = "/var/log/hosa/audit.jsonl"   only = "/user.slice"
//   [policy]      ceiling = 4 (2..4)   max_contained = 4 (1..16)
//   [protection]  patterns = ["/system.slice/db.service", "cmd:postgres", "uid:1000"]
#pragma once
#include "loader/sys/error.h"
#include "loader/sys/fixed.h"

namespace hosa {

inline constexpr std::size_t kProtectPatterns = 64;  // by hand, one line each: a page of them

struct Config {
  double warmup_s = 300;
  bool shadow = false;
  FixedString<256> audit, only;
  int ceiling = 4;                                          // highest level that may be taken; 5 is not to be had yet
  int max_contained = 4;                                    // spec S7: how many cgroups at once
  FixedVector<FixedString<128>, kProtectPatterns> protect;  // /cgroup/path prefix, cmd:part of a command line, uid:N
};

// `name` is the file's name for messages. Starts from what `config` holds.
Result<void> parse_config(std::string_view text, const char* name, Config& config);

// path empty: the default places, absent files are fine. Given: that file must be there.
Result<Config> load_config(const char* path);

}  // namespace hosa
