// Where cgroup v2 is. Its mount is found in /proc/self/mountinfo, never assumed: /sys/fs/cgroup (unified hosts),
// /sys/fs/cgroup/unified (hybrid hosts), anywhere an appliance likes it. Where there is none, the hierarchy is mounted
// privately: fsopen + fsmount give a directory descriptor that is attached nowhere and gone with it (Linux 5.2).
#pragma once
#include <optional>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"
#include "proprioception/capacity.h"

namespace hosa {

// One line of mountinfo (Documentation/filesystems/proc.rst 3.5), unescaped: \040 is a space.
//   36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
struct Mount {
  FixedString<kCgroupPathBytes> root, point;
  FixedString<32> type;
  FixedString<64> super;  // the file system's own options: of a v1 hierarchy its controllers, "rw,cpu,cpuacct"
  bool read_only = false;
};
std::optional<Mount> parse_mount(std::string_view line);

// The mount point to use: of all cgroup2 lines the last whose root is "/" (a later mount hides an earlier one at the
// same place), else the last one at all (inside a container).
class Cgroup2Finder {
 public:
  void take(std::string_view line);
  std::optional<Mount> best() const { return whole_ ? whole_ : part_; }

 private:
  std::optional<Mount> whole_, part_;
};

enum class CgroupRoot : unsigned char { absent, found, mounted };
struct CgroupHome {
  CgroupRoot how = CgroupRoot::absent;
  Fd directory;                               // the v2 root; empty when absent
  FixedString<kCgroupPathBytes> mount_point;  // as `found`; "(private mount)" as `mounted`
  FixedString<120> reason;                    // why absent, for `hosa doctor`
};

// Looks, then mounts (only if may_mount; EBUSY or EPERM: absent). Called once at start-up.
CgroupHome open_cgroup_home(const Fd& proc, bool may_mount);
Result<Fd> mount_cgroup2_privately();

// The whole v1 hierarchy of a controller where it is mounted; an empty descriptor: there is none.
bool is_v1_of(const Mount& mount, std::string_view controller);
Fd open_v1_home(const Fd& proc, std::string_view controller);

}  // namespace hosa
