#!/usr/bin/env bash
# S10: --only PATTERN never touches anything outside, --shadow touches nothing at all, and both decide and log.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

run_case() { # NAME AGENT-OPTIONS...: an agent that acts, while a process that is not its own business leaks 200 MB
  local name=$1
  shift
  start_agent --warmup 3s --room 64M "$@" || { not_ok "$name" "the agent did not start: $(head -1 "$dir/agent.out")"; return; }
  within 12 in_phase "$leaker" fault
  local touched='' frozen=''
  while in_phase "$leaker" fault; do
    [ "$(leaves_no_trace "$leaking")" = "$before" ] || touched="$(leaves_no_trace "$leaking" | head -1) instead of $before"
    [ -d "${stage:-/nonexistent}/$leaker/hosa.hold" ] && touched='a hold room'
    grep -q '^State:.T' "/proc/$leaking/status" && frozen=' stopped'
    sleep 0.1
  done
  local leases
  leases=$(ask "s['leases']")
  stop_agent
  if [ -n "$touched$frozen" ]; then
    not_ok "$name" "the leak was touched:$frozen $touched"
  elif [ "${leases:-1}" != 0 ]; then
    not_ok "$name" "${leases:-no answer} leases"
  else
    ok "$name"
  fi
}
leak() { # NAME: starts one; it leaks 5 s later, for 6 s
  leaker=$1
  offend "$1" leak 6 200 || not_ok "$1" "the leak did not start: $(head -1 "$dir/$1.out")"
  leaking=$offender
  before=$(leaves_no_trace "$leaking")
}

offend idle idle 60
idle_only=$only
leak outside
run_case only-leaves-others-alone --only "$idle_only"

leak watched
run_case shadow-changes-nothing --only "$only" --shadow
told=$(grep -cE '"event":"(insured|culprit|act)"' "$dir/audit.jsonl")
verdict shadow-decides "no decision in the audit log: $(cut -c1-120 "$dir/audit.jsonl" | tail -3 | tr '\n' ';')" test "$told" -gt 0

# The same leak, with --only on it and without --shadow, is held: so the two above did prove something.
leak held
rm -f "$dir/audit.jsonl"
start_agent --warmup 3s --room 64M --only "$only"
held=''
while in_phase held quiet || in_phase held fault; do
  [ "$(ask "any(h['level'] >= 2 for h in s['holds'])")" = True ] && held=yes
  sleep 0.2
done
stop_agent
grep -q '"event":"insured"' "$dir/audit.jsonl" && held=yes # between two looks
verdict only-holds-its-own "the leak was never held: $(grep -oE '"event":"[a-z]+"' "$dir/audit.jsonl" | xargs)" test -n "$held"
within 2 gone "$leaking" || verdict only-gives-back "$(leaves_no_trace "$leaking") instead of $before" \
  test "$(leaves_no_trace "$leaking")" = "$before"
