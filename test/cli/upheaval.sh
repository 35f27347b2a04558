#!/usr/bin/env bash
# What a machine does to an agent over the years, in a minute: cgroups made and removed while it reads them, a hundred
# thousand processes born and gone, a suspend (CLOCK_BOOTTIME far ahead of CLOCK_MONOTONIC). All of it is sensed, none of
# it fatal, and the agent is afterwards what it was before.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

counted() { ask "s['x']['$1']"; }

if ! start_agent --shadow --warmup 3s; then
  not_ok upheaval "the agent did not start: $(head -1 "$dir/agent.out")"
  exit 1
fi
sleep 4
before=$(descriptors 5)

# cgroups: 300 made, filled with a process and removed, some while the census walks over them
[ -n "$stage" ] || make_stage
if [ -n "$stage" ]; then
  for i in $(seq 300); do
    mkdir "$stage/gone.$i"
    if [ $((i % 10)) = 0 ]; then
      sleep 5 &
      sleeper=$!
      echo $sleeper >"$stage/gone.$i/cgroup.procs"
      sleep 0.12 # the census looks ten times a second while somebody is suspected
      kill $sleeper
      wait $sleeper 2>/dev/null
    fi
    within 2 rmdir "$stage/gone.$i"
  done
  ticks=$(ask "s['ticks']")
  sleep 1.5
  verdict upheaval-cgroups 'no more ticks' test "$(ask "s['ticks'] > ${ticks:-0}")" = True
else
  skip upheaval-cgroups 'no cgroup v2 that may be written'
fi

# processes: 100,000 of them, and while they come the vector says so
births() { perl -e 'for (1..$ARGV[0]) { my $p = fork; exit 0 if defined $p && !$p; waitpid $p, 0 if $p }' "$1"; }
if command -v perl >/dev/null 2>&1; then
  births 100000 &
  storm=$!
  sleep 2
  forks=$(counted forks)
  wait $storm
  awk "BEGIN { exit !(${forks:-0} > 300) }"
  verdict upheaval-births-sensed "$forks forks a second were sensed" test $? = 0
  verdict upheaval-births-alive 'the agent has gone' test -d "/proc/$agent"
  verdict upheaval-births-memory 'too much memory' test "$(ask "s['rss_bytes'] < 32 << 20")" = True
else
  skip upheaval-births 'no perl'
fi
sleep 1
# Whoever was named in all this is watched for a minute more, with its files open.
nobody_watched() { [ "$(ask "len(s['holds'])")" = 0 ]; }
within 90 nobody_watched
after=$(descriptors 15)
verdict upheaval-descriptors "$before before, $after afterwards" test "$after" -le $((before + 4)) # from level 1 on a few more are open
stop_agent

# a suspend of ten days: the clock that goes on in it is ahead of the one that does not
if unshare --time --boottime 864000 --fork true 2>/dev/null; then
  timeout 20 unshare --time --boottime 864000 --fork --kill-child "$hosa" run --shadow --warmup 2s --duration 5s \
    --state "$dir/slept" --audit "$dir/slept.jsonl" >"$dir/slept.out" 2>&1
  code=$?
  verdict upheaval-suspend "exit code $code: $(head -1 "$dir/slept.out")" test $code = 0
  verdict upheaval-suspend-audit "$(cat "$dir/slept.jsonl")" grep -q '"event":"stop"' "$dir/slept.jsonl"
else
  skip upheaval-suspend 'no time namespaces'
fi
exit $bad
