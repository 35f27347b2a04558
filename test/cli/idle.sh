#!/usr/bin/env bash
# What hosa costs on an idle machine: at most 2.5 wake-ups a second, one descriptor count for ever, and its memory and
# CPU time, printed. A machine that is busy wakes it more often by design (suspicion: ten times a second); then the
# figure says nothing and the test is skipped with the load it saw.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

busy_ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9 }' /proc/stat; }
descriptors() { find "/proc/$agent/fd" -mindepth 1 | wc -l; }

if ! start_agent --shadow --warmup 4s; then
  not_ok idle "the agent did not start: $(head -1 "$dir/agent.out")"
  exit 1
fi
sleep 6 # learned, and the first readings done
measured='' seconds=20
for attempt in 1 2 3; do
  wakeups=$(ask "s['wakeups']") cpu=$(ask "s['cpu_s']") busy=$(busy_ticks) trips=$(ask "s['trips']")
  sleep $seconds
  busy=$((($(busy_ticks) - busy) / seconds))
  measured=$(awk "BEGIN { print ($(ask "s['wakeups']") - $wakeups) / $seconds }")
  cost=$(ask "'%.1f MB, %.2f %% of a CPU, %d trips, level %d' % (s['rss_bytes'] / 1048576, (s['cpu_s'] - $cpu) * 100 / $seconds, s['trips'] - $trips, s['level'])")
  awk "BEGIN { exit !($measured <= 2.5) }" && break
  [ "$busy" -gt 15 ] || break # 15 % of one CPU: somebody else is at work, look again
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

before=$(descriptors)
offend births births 10 1000
within 25 in_phase births after
after=$(descriptors)
verdict idle-descriptors "$before before, $after after 1000 born and gone processes" test "$before" = "$after"
