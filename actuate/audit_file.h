// The audit log on disk: whole lines taken from the AuditRing, appended, at most 8 MB and one older file FILE.1. Only
// the keeper writes it, so the loop never waits for a disk.
#pragma once
#include "actuate/audit_ring.h"
#include "loader/sys/fd.h"
#include "loader/sys/fixed.h"

namespace hosa {

class AuditFile {
 public:
  static constexpr uint64_t kMostBytes = 8u << 20;

  // Makes the directory if it is missing. A file that cannot be had is told once; lines then stay in the ring.
  void open(std::string_view path);
  void drain(AuditRing ring);
  bool idle() const { return idle_; }  // nothing came at the last drain

 private:
  void rotate();
  FixedString<256> path_;
  Fd file_;
  uint64_t bytes_ = 0;
  bool idle_ = true;
};

}  // namespace hosa
