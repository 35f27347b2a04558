# Who may include whom (the rooms and their order). Includes are written from the root; anything else is an error.
function room(path) {
  if (path ~ /^loader\/sys\//) return "loader/sys"
  sub(/\/.*/, "", path)
  return path
}
BEGIN {
  may["tools"] = " tools loader/sys loader detect proprioception actuate probes "
  may["test"] = may["tools"] " test "
  may["actuate"] = " actuate loader/sys loader detect proprioception probes "
  may["proprioception"] = " proprioception loader/sys "
  may["detect"] = " detect "
  may["loader"] = " loader loader/sys "
  may["loader/sys"] = " loader/sys "
  may["probes"] = " probes "
}
/^#include "/ {
  split($0, part, "\"")
  from = room(FILENAME); to = room(part[2])
  if (from == "detect" && part[2] == "probes/events.h") next
  if (index(part[2], "/") == 0) { printf "%s:%d: include \"%s\" is not written from the root\n", FILENAME, FNR, part[2]; bad = 1; next }
  if (index(may[from], " " to " ") == 0) { printf "%s:%d: %s may not include %s\n", FILENAME, FNR, from, part[2]; bad = 1 }
}
END { exit bad }
