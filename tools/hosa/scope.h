// Scope: what `--only PATTERN` allows to be touched, and whom the configuration protects (spec S3, S10).
//
//   /a/b        that cgroup and everything below it
//   pid:N       the process tree below N (N included)
//   uid:N       processes of that user                       (protection only)
//   cmd:TEXT    processes whose command line contains TEXT   (protection only)
//   TEXT        units whose cgroup path or top process's command line contains TEXT
#pragma once
#include "proprioception/process_names.h"
#include "tools/hosa/census.h"
#include "tools/hosa/config.h"

namespace hosa {

bool path_is_below(std::string_view path, std::string_view ancestor);

class Scope {
 public:
  Scope(std::string_view only, const Config& config, const Fd& proc) : only_(only), config_(&config), proc_(&proc) {}
  bool limited() const { return !only_.empty(); }
  bool by_command() const { return limited() && only_.view().front() != '/' && !only_.view().starts_with("pid:"); }
  // May this unit be touched at all? names: for command lines seen in calm.
  bool allows(const Unit& unit, const Census& census, ProcessNames& names) const;
  // May this process be, inside an allowed unit?
  bool allows_process(int pid, const Census& census) const;
  // The configured pattern that protects this process or path; empty: none.
  std::string_view protects(std::string_view path, const ProcessIdentity& identity) const;

 private:
  FixedString<256> only_;
  const Config* config_;
  const Fd* proc_;
};

}  // namespace hosa
