#!/usr/bin/env bash
# A file that grows in memory, where no memory controller says whose it is, beside a process that takes and gives back five
# times as much: the one that grows is named, and the other one never.
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
# For its memory; on a busy machine the other one may well be named for its CPU time.
culprits=$(python3 -c 'import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
print(*sorted({x["target"] for x in lines if x["event"] == "insured" or x.get("action") == "bucket"}))' "$dir/audit.jsonl")
verdict shared-named "named: ${culprits:-nobody}" test "${culprits##*/}" = share
verdict shared-not-the-other "named: $culprits" test "${culprits/churn/}" = "$culprits"
exit $bad
