#!/usr/bin/env bash
# A file that grows in memory, where no memory controller says whose it is, beside a process that takes and gives back five
# times as much: the one that grows is named and held, and the other one never is.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root
make_stage
[ -n "$stage" ] || { skip shared 'no cgroup v2 that may be written'; exit 0; }

offend churn churn 16 200
offend share share 6 200
start_agent --shadow --warmup 3s --room 64M --without memcg --baseline none --only "/$(basename "$stage")"
within 12 in_phase share fault
within 12 in_phase share after
stop_agent
# For its memory; on a busy machine the other one may well be named for its CPU time. An insurance is not an act: beside
# three hogs on two CPUs the one that churns was met at its 4 MB in three looks, one time in eight.
held=$(python3 -c 'import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
print(*sorted({x["target"] for x in lines if x.get("action") == "bucket"}))' "$dir/audit.jsonl")
verdict shared-named "held: ${held:-nobody}" test "${held##*/}" = share
verdict shared-not-the-other "held: $held" test "${held/churn/}" = "$held"
exit $bad
