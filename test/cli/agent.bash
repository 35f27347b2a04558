# agent.bash: how the command-line tests start, ask and end an agent and offenders of their own. Sourced, not run.
#
# Every agent here watches only (--shadow) or is bound to what the test itself started (--only), and has a directory of
# its own under mktemp. At the end, however the test ends: the agent is ended, what it held is given back by
# `hosa release`, offenders are killed by their pid, and directory and cgroup are removed.
#
#   need_root                 ends the script with one skip line where it is not root
#   start_agent OPTIONS...    sets $agent and $keeper; waits until it answers
#   stop_agent                SIGTERM, and waits
#   ask EXPRESSION            a Python expression over the status answer `s`
#   descriptors SECONDS       how many the agent has open at least
#   offend ARGUMENTS...       starts offender.py in a cgroup of its own where one is to be had; sets $offender and $only
#   ok NAME / not_ok NAME REASON / skip NAME REASON / verdict NAME REASON CONDITION...
# shellcheck disable=SC2034  # what is set here is used by the scripts that source it
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
hosa=$PWD/build/hosa
dir=$(mktemp -d /tmp/hosa-cli.XXXXXX)
agent='' keeper='' offender='' only='' stage=''
bad=0

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; bad=1; }
skip() { echo "skip $1: $2"; }
verdict() { # NAME REASON CONDITION...: ok where the condition holds
  local name=$1 reason=$2
  shift 2
  if "$@"; then ok "$name"; else not_ok "$name" "$reason"; fi
}

gone() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
within() { # SECONDS COMMAND...: waits until the command answers 0
  local until=$(($(date +%s%N) + $(awk "BEGIN { printf \"%.0f\", $1 * 1e9 }")))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s%N)" -lt "$until" ] || return 1
    sleep 0.05
  done
}

need_root() {
  [ "$(id -u)" = 0 ] && return
  skip "$(basename "$0" .sh)" 'needs root'
  exit 0
}

start_agent() {
  "$hosa" run "$@" --state "$dir/state" --audit "$dir/audit.jsonl" >"$dir/agent.out" 2>&1 &
  agent=$!
  within 10 "$hosa" status --state "$dir/state" || { cat "$dir/agent.out"; return 1; }
  keeper=$(pgrep -P "$agent" | head -1)
}
stop_agent() {
  [ -n "$agent" ] || return 0
  kill "$agent" 2>/dev/null
  within 6 gone "$agent" || kill -KILL "$agent"
  wait "$agent" 2>/dev/null
  agent=''
}
ask() {
  "$hosa" status --json --state "$dir/state" >"$dir/status.json" 2>/dev/null || return 1
  python3 -c 'import json, sys
s = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$dir/status.json" "$1"
}

# The agent's. The page-fault program is attached from level 1 on (two descriptors more), so the
# fewest within some seconds count.
descriptors() { # SECONDS
  local least=99999 now
  for _ in $(seq 1 $((2 * $1))); do
    now=$(find "/proc/$agent/fd" -mindepth 1 | wc -l)
    [ "$now" -lt "$least" ] && least=$now
    sleep 0.5
  done
  echo "$least"
}

# Where the cgroup v2 tree is and may be written, offenders get a cgroup of their own, so that units are told apart.
make_stage() {
  local root
  root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
  [ -n "$root" ] && mkdir "$root/hosa-cli.$$" 2>/dev/null && stage=$root/hosa-cli.$$
}
offend() { # NAME ARGUMENTS...
  local name=$1
  shift
  [ -n "$stage" ] || make_stage
  local room=${stage:+$stage/$name}
  [ -z "$room" ] || mkdir -p "$room"
  # Its parent ends at once, so that it is a child of init and a process tree of its own.
  setsid -f python3 test/cli/offender.py "$dir/$name" "$room" "$@" >"$dir/$name.out" 2>&1
  within 5 test -s "$dir/$name.pid" || return 1
  offender=$(cat "$dir/$name.pid")
  only=${room:+/${room#"$(dirname "$stage")"/}}
  only=${only:-pid:$offender}
}
phase() { cat "$dir/$1.phase" 2>/dev/null; }
in_phase() { [ "$(phase "$1")" = "$2" ]; }
tree() { # PID: it and all below it
  [ -n "${1:-}" ] || return 0
  echo "$1"
  local child
  for child in $(pgrep -P "$1"); do tree "$child"; done
}
policies() { # PID...: scheduling policy of every thread of these, each once
  local pid
  for pid in "$@"; do awk '{ sub(/.*\) /, ""); print $39 }' "/proc/$pid"/task/*/stat 2>/dev/null; done | sort -u | xargs
}
leaves_no_trace() { # NAME: what an administrator would see of one offender
  local pid
  for pid in $(tree "$1"); do
    echo "$pid $(policies "$pid") $(cat "/proc/$pid/oom_score_adj") $(cut -d' ' -f19 "/proc/$pid/stat") $(cat "/proc/$pid/cgroup")"
  done 2>/dev/null
}

tidy() {
  stop_agent
  "$hosa" release --all --state "$dir/state" >/dev/null 2>&1
  local pid file
  for file in "$dir"/*.pid; do
    [ -s "$file" ] || continue
    for pid in $(tree "$(cat "$file")"); do
      grep -q offender.py "/proc/$pid/cmdline" 2>/dev/null && kill -KILL "$pid" 2>/dev/null
    done
  done
  if [ -n "$stage" ]; then
    # A killed process leaves its cgroup a moment later.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      find "$stage" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.2
    done
  fi
  rm -rf "$dir"
  exit $bad
}
trap tidy EXIT
trap 'exit 1' INT TERM HUP
