#!/usr/bin/env bash
# S7: no more cgroups (or process trees) are contained at once than the configuration allows.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

printf '[policy]\nmax_contained = 1\n' >"$dir/hosa.toml"
offend first leak 12 200
[ -n "$stage" ] || { skip contained 'no cgroup v2 tree to put two offenders into'; exit 0; }
sleep 2
offend second leak 10 200
start_agent --warmup 2s --room 64M --config "$dir/hosa.toml" --only "/$(basename "$stage")" ||
  { not_ok contained "the agent did not start: $(head -1 "$dir/agent.out")"; exit 1; }
most=0
until in_phase first after && in_phase second after; do
  now=$(ask "sum(1 for h in s['holds'] if h['level'] >= 2)")
  [ "${now:-0}" -gt "$most" ] && most=$now
  sleep 0.2
done
verdict contained-one "$most were contained at once, 1 is allowed" test "$most" = 1
verdict contained-says-so "the second one was not refused: $(grep -oE '"event":"[a-z]+"' "$dir/audit.jsonl" | sort | uniq -c | xargs)" \
  grep -q '"event":"refused"' "$dir/audit.jsonl"
