#!/usr/bin/env bash
# What a machine withholds: capabilities, the mount of tracefs, BTF. Each lowers the rungs that need it and no other, the
# doctor says so with what would help, and an agent starts and ticks all the same. (Kernel lockdown: lab, doctor.)
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

# NAME EXPRESSION COMMAND...: a Python expression over the doctor's answer d when run by COMMAND: its senses by name (s), its
# probes' rungs (r) and the reasons for them (w). Then an agent is run the same way.
withheld() {
  local name=$1 expression=$2 got code
  shift 2
  "$@" "$hosa" doctor --json >"$dir/doctor.json" 2>"$dir/err"
  code=$?
  got=$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
s = {x["name"]: x for x in d["senses"]}
r = {x["sensor"]: x["rung"] for x in d["rungs"]}
w = {x["sensor"]: x["why_not_better"] for x in d["rungs"]}
best = {"memory", "wakeups", "forks", "block io", "packets sent"}
raw = {x for x in best if r[x].startswith("raw tracepoint")}
print(eval("(" + sys.argv[2] + ")") and all(w[x] for x in r if r[x] == "absent"))' "$dir/doctor.json" "$expression" 2>&1)
  verdict "withheld-$name" "exit code $code, $expression is $(tail -1 <<<"$got")" test "$code $got" = '0 True'
  "$@" timeout 20 "$hosa" run --shadow --warmup 1s --duration 3s --baseline none --state "$dir/$name" \
    --audit "$dir/$name.jsonl" >"$dir/out" 2>&1
  code=$?
  verdict "withheld-$name-runs" "exit code $code: $(head -1 "$dir/out")" test $code = 0 -a -s "$dir/$name.jsonl"
}
# COMMANDS COMMAND...: in a mount namespace of its own, after these shell commands
prepared() {
  local commands=$1
  shift
  unshare --mount sh -c "$commands"' && exec "$@"' sh "$@"
}
no_tracefs='for at in $(awk "\$3 == \"tracefs\" || \$3 == \"debugfs\" { print \$2 }" /proc/mounts | sort -r); do umount -l "$at" 2>/dev/null; done; :'

withheld nothing 'raw == best and d["machine"]["tracefs"]' env
withheld perfmon 'not raw and "EPERM" in w["memory"] and s["memory_allocated"]["rung"].startswith("/proc")
  and s["cpu_busy"]["rung"] and "CAP_PERFMON" in s["wakeups"]["improve"]' \
  setpriv --bounding-set=-perfmon,-sys_admin
withheld sys-admin 'raw == best' setpriv --bounding-set=-sys_admin
withheld tracefs-mount 'raw == best and d["machine"]["tracefs"] and r["allocation flags"] == "tracefs format"' \
  prepared "$no_tracefs"
withheld tracefs 'raw == best and not d["machine"]["tracefs"] and r["allocation flags"].startswith("values")
  and r["block bytes"] == "absent" and "tracefs" in w["block bytes"]' \
  prepared "$no_tracefs" setpriv --bounding-set=-sys_admin
if [ -e /sys/kernel/btf ]; then
  withheld btf 'raw == best and not d["machine"]["btf"]' prepared 'mount -t tmpfs none /sys/kernel/btf'
else
  skip withheld-btf 'this kernel has none to hide'
fi
exit $bad
