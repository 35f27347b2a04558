#!/usr/bin/env bash
# What hosa costs on an idle machine: at most 2.5 wake-ups a second, one descriptor count for ever, and its memory and
# CPU time, printed. A machine that is busy wakes it more often by design (suspicion: ten times a second), so up to
# four windows are looked at and the quietest counts; where others were at work in all of them the test is skipped
# with the load it saw. It learns for 20 s: 40 samples of about 30 signals; with 8 of them level 1 is a coin's toss.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

busy_ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9 }' /proc/stat; }

if ! start_agent --shadow --warmup 20s; then
  not_ok idle "the agent did not start: $(head -1 "$dir/agent.out")"
  exit 1
fi
sleep 23 # learned, and the first readings done
measured='' seconds=15
for attempt in 1 2 3 4; do
  sleep 5 # a start of Python is a tripwire's business: what was asked last has been forgotten
  "$hosa" status --json --state "$dir/state" >"$dir/before.json" 2>/dev/null
  busy=$(busy_ticks)
  sleep $seconds
  busy=$((($(busy_ticks) - busy) / seconds))
  "$hosa" status --json --state "$dir/state" >"$dir/after.json" 2>/dev/null
  read -r measured cost <<<"$(python3 - "$dir" $seconds <<'PYTHON'
import json, sys
b, a = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("before", "after"))
seconds = int(sys.argv[2])
print((a["wakeups"] - b["wakeups"] - 3) / seconds,  # three for the question itself
      "%.1f MB, %.2f %% of a CPU, %d trips, level %d" % (a["rss_bytes"] / 1048576, (a["cpu_s"] - b["cpu_s"]) * 100 / seconds,
                                                         a["trips"] - b["trips"], a["level"]))
PYTHON
)"
  awk "BEGIN { exit !($measured <= 2.5) }" && break
done
echo "idle: $measured wake-ups a second, $cost, attempt $attempt, others used $busy % of a CPU"
if awk "BEGIN { exit !($measured <= 2.5) }"; then
  ok idle-wakeups
elif [ "$busy" -gt 15 ]; then
  skip idle-wakeups "the machine is not idle (others used $busy % of a CPU): $measured a second"
else
  not_ok idle-wakeups "$measured a second on an idle machine ($cost)"
fi
verdict idle-memory "$cost" test "$(ask "s['rss_bytes'] < 32 << 20")" = True

before=$(descriptors 5)
offend births births 10 1000
within 25 in_phase births after
after=$(descriptors 15)
verdict idle-descriptors "$before before, $after after 1000 born and gone processes" test "$after" -le $((before + 4)) # from level 1 on a few more are open
