#!/usr/bin/env bash
# `hosa why`: who was named and for what, from the running agent and, once it has ended, from its audit log.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

why() { "$hosa" why --state "$dir/state" "$@"; }
json() { # EXPRESSION over the answer `w`
  python3 -c 'import json, sys
w = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$dir/why.json" "$1"
}

why >"$dir/out" 2>&1
code=$?
verdict why-without-agent "exit code $code: $(cat "$dir/out")" test $code = 1
offend leak leak 8 200
start_agent --only "$only" --room 64M --warmup 5m || { not_ok why 'the agent did not start'; exit 1; }
why >"$dir/out"
verdict why-calm "$(cat "$dir/out")" grep -qE 'Nothing has been decided|ago' "$dir/out"
named() { why --json >"$dir/why.json" && [ "$(json "w.get('reason', {}).get('event')")" = culprit ]; }
verdict why-named "$(cat "$dir/why.json")" within 14 named
why >"$dir/out"
cat "$dir/out" >&2
verdict why-three-sentences "$(cat "$dir/out")" test "$(wc -l <"$dir/out")" = 3
verdict why-who "$(cat "$dir/out")" grep -qE 'carries it with [0-9]+ % of the growth of memory' "$dir/out"
verdict why-ttf "$(cat "$dir/out")" grep -qE '^Left alone, at [0-9.]+ MB/s it would have used up the room of [0-9.]+ MB in [0-9.]+ s\.$' "$dir/out"
verdict why-json "$(head -c 300 "$dir/why.json")" \
  test "$(json "w['from'] == 'the running agent' and w['reason']['culprit']['resource'] == 'memory' and len(w['otherwise']) > 0")" = True
# Until the act or the insurance is told as what came of it.
came() { why | grep -qE 'held by|insured'; }
verdict why-outcome "$(cat "$dir/out")" within 5 came
stop_agent
"$hosa" why --audit "$dir/audit.jsonl" >"$dir/log.out"
verdict why-from-the-log "$(cat "$dir/log.out")" \
  test "$(sed -n '3p' "$dir/log.out")" = "$(sed -n '3p' "$dir/out")" -a -n "$(sed -n '3p' "$dir/log.out")"
verdict why-given-back "$(cat "$dir/log.out")" grep -q 'given back' "$dir/log.out"
"$hosa" why --json --audit "$dir/audit.jsonl" >"$dir/why.json"
verdict why-json-from-the-log "$(head -c 300 "$dir/why.json")" test "$(json "w['outcome']['event']")" = given_back
head -c 5000 /dev/urandom >"$dir/noise"
"$hosa" why --audit "$dir/noise" >"$dir/out" 2>&1
verdict why-noise "$(head -c 200 "$dir/out")" grep -q 'Nothing has been decided' "$dir/out"
