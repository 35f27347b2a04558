#!/usr/bin/env bash
# S2: every limit is a lease. While twelve spinners of ours are held: the agent is killed (its keeper gives back within
# 2 s), stopped (4 s), and killed together with its keeper (then `hosa release --all` gives back).
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

held() { [ "$(ask "any(h['level'] >= 2 and h.get('means') not in (None, 'none', 'asked') for h in s['holds'])")" = True ]; }
# Scheduling policies of all its threads, the weight of its cgroup and the nice of its session where there are such.
session_nice() { cut -d' ' -f3 "/proc/$offender/autogroup" 2>/dev/null; }
# shellcheck disable=SC2046  # one word per process
state_of() {
  echo "$(policies $(tree "$offender"))" "$(cat "${stage:-/nonexistent}/$name/cpu.weight" 2>/dev/null)" "$(session_nice)"
}
as_before() { [ "$(state_of)" = "$before" ]; }

busy_ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }
hold() { # NAME [OPTIONS...]: a spinner, held
  name=$1
  shift
  offend "$name" spin 18 12 || { not_ok "$name" "the spinner did not start: $(head -1 "$dir/$name.out")"; return 1; }
  before=$(state_of)
  [ $# = 0 ] || only=pid:$offender
  start_agent --warmup 3s --only "$only" "$@" || { not_ok "$name" "the agent did not start: $(head -1 "$dir/agent.out")"; return 1; }
  local busy
  busy=$(busy_ticks)
  within 8 in_phase "$name" fault
  busy=$(($(busy_ticks) - busy))
  if ! within 15 held; then
    # What is learned beside other load makes a storm look ordinary; that says nothing of giving back.
    [ "$busy" -lt 100 ] || { skip "$name" "others used ${busy} hundredths of a CPU second while it learned"; return 1; }
    not_ok "$name" "twelve spinners were not held in 15 s: $(ask "s['level'], s['holds'], s['dbar'], s['thresholds'], s['waiting_share']")"
    return 1
  fi
  if as_before; then
    not_ok "$name" "held by name only: still $before"
    return 1
  fi
}
finish() { # SECONDS
  verdict "$name" "not given back within $1 s: $(state_of) instead of $before" within "$1" as_before
}
clear_away() {
  stop_agent
  "$hosa" release --all --state "$dir/state" >/dev/null 2>&1
  local pid
  for pid in $(tree "$offender"); do kill -KILL "$pid" 2>/dev/null; done
  within 3 gone "$offender"
}

if hold release-agent-killed; then
  kill -KILL "$agent"
  wait "$agent" 2>/dev/null
  finish 2
  verdict release-keeper-ends 'the keeper is still there' within 5 gone "$keeper"
  agent=''
fi
clear_away

if hold release-agent-stopped; then
  kill -STOP "$agent"
  finish 4
  kill -CONT "$agent"
  verdict release-agent-goes-on 'no answer after SIGCONT' within 5 ask "s['ticks']"
fi
clear_away

if hold release-both-killed; then
  # A stopped keeper cannot give back while the agent dies, nor the agent notice that the keeper has gone.
  kill -STOP "$keeper"
  kill -KILL "$agent"
  kill -KILL "$keeper"
  wait "$agent" 2>/dev/null
  agent=''
  sleep 0.3
  if as_before; then
    skip release-both-killed 'everything was given back before both were dead'
  else
    "$hosa" release --all --state "$dir/state" >"$dir/release.out" 2>&1
    code=$?
    finish 0.2
    verdict release-says-so "exit code $code: $(head -1 "$dir/release.out")" test "$code" = 0 -a -s "$dir/release.out"
  fi
  "$hosa" release --all --state "$dir/state" >"$dir/release.out" 2>&1
  verdict release-twice "$(head -1 "$dir/release.out")" grep -q 'nothing was held' "$dir/release.out"
fi
clear_away

# A running agent gives back at once when asked; what still hurts others a moment later is a new episode, so whoever
# wants to be left alone says `pause`.
if hold release-by-pause; then
  "$hosa" pause --state "$dir/state" >/dev/null 2>&1
  finish 2
  sleep 1
  verdict release-pause-lasts "held again: $(state_of)" as_before
  verdict release-audited "$(tail -2 "$dir/audit.jsonl" | cut -c1-160)" within 2 grep -q '"event":"given_back"' "$dir/audit.jsonl"
fi
clear_away

# Without a cgroup of its own it is its session that is slowed, as a whole: no thread is touched.
sessions_count() { [ "$(cat /proc/sys/kernel/sched_autogroup_enabled 2>/dev/null)" = 1 ] && grep -qE '^[0-9]+:([^:]*,)?cpu(,[^:]*)?:/$' /proc/self/cgroup; }
if ! sessions_count; then
  skip release-session 'the scheduler does not share by sessions here'
elif hold release-session --without cgroup; then
  # shellcheck disable=SC2046  # one word per process
  verdict release-session-whole "policies $(policies $(tree "$offender")), nice $(session_nice)" \
    test "$(policies $(tree "$offender")) $(session_nice)" = '0 19'
  kill -KILL "$agent"
  wait "$agent" 2>/dev/null
  agent=''
  finish 2
fi
clear_away
