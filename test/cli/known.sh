#!/usr/bin/env bash
# What a unit has settled at is learned, kept with the baseline, and lets its next start-up through (spec 5). A stranger
# that takes 85 MB of a room of 187 meets the bucket at 70 (test_holding).
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root
file=$dir/baseline
sizes() { od -An -tu4 -j52 -N4 "$file" 2>/dev/null | tr -d ' '; }
begin() { start_agent --only "$only" --room 200M --warmup 3s --baseline "$file" || not_ok known "$(head -1 "$dir/agent.out")"; }

offend grower leak 50 85 || { not_ok known 'the offender did not start'; exit 1; }
sleep 9 # 5 s of quiet, 2.1 s of growth
begin
sleep 42 # 20 s, and its turn
stop_agent
verdict known-is-kept "$(sizes) sizes in the baseline" test "$(sizes)" -ge 1
kill "$offender"
within 5 gone "$offender"

rm -f "$dir/audit.jsonl"
begin
offend grower leak 6 85
within 20 in_phase grower after
events() { grep -oE "\"event\":\"$1\".*" "$dir/audit.jsonl"; }
if [ -z "$(events insured)" ]; then
  skip known-is-expected 'it was over before anybody was named'
else
  verdict known-is-expected "$(events insured | cut -c1-600)" grep -q '"expected":true' <(events insured)
fi
verdict known-meets-no-bucket "$(events act | cut -c1-600)" test -z "$(events act)"
