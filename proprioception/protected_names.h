// The names by which the protected set knows a program, and the part it plays. The file name decides, not the comm.
#pragma once
#include <string_view>

namespace hosa {

// Who may play the part. `root` means the process runs as root or as a system user (uid < 1000, login.defs
// SYS_UID_MAX).
enum class PlayedBy : unsigned char { anybody, root };

struct ProtectedName {
  std::string_view program;  // file name; a trailing * stands for any ending
  PlayedBy by;
  const char* reason;
};

// nullptr: no such name.
const ProtectedName* find_protected_name(std::string_view program);
bool is_shell(std::string_view program);
bool is_interpreter(std::string_view program);  // python3.11, perl: the script is argument 1

}  // namespace hosa
