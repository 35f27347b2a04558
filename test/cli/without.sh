#!/usr/bin/env bash
# --without WORD: the next rung of each chain is taken, status says so, and the agent goes on ticking.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

# The rungs of one sensor, and the dimensions that are there.
rung() { echo "[r['rung'] for r in s['rungs'] if r['sensor'] == '$1']"; }
shows() {
  case $1 in
    bpf) echo "not any('raw tracepoint' in r['rung'] or 'kprobe' in r['rung'] for r in s['rungs'])" ;;
    btf) echo "not any('btf' in r['rung'].lower() or 'fentry' in r['rung'] for r in s['rungs'])" ;;
    tracefs) echo "'tracefs format' not in $(rung 'allocation flags') and not any(r['rung'].startswith('tracepoint') for r in s['rungs'])" ;;
    cgroup) echo "s['cgroup'] == 'none'" ;;
    memcg) echo "s['memory_controller'] is False" ;;
    psi) echo "s['psi'] is False and not {'cpu_wait', 'memory_wait_some', 'memory_wait_full', 'io_wait'} & set(s['x'])" ;;
  esac
}

for words in bpf btf tracefs cgroup memcg psi bpf,btf,tracefs,cgroup,memcg,psi; do
  name=without-$words
  [ "$words" = "${words#*,}" ] || name=without-everything
  if ! start_agent --shadow --warmup 2s --duration 10s --without "$words"; then
    not_ok "$name" "the agent did not start: $(head -1 "$dir/agent.out")"
    continue
  fi
  sleep 2
  before=$(ask "s['ticks']")
  wrong=''
  for word in ${words//,/ }; do
    [ "$(ask "$(shows "$word")")" = True ] || wrong="$wrong $word"
  done
  sleep 2
  after=$(ask "s['ticks']")
  within 14 gone "$agent"
  wait "$agent"
  code=$?
  agent=''
  if [ -n "$wrong" ]; then
    not_ok "$name" "status does not show the lower rung of$wrong: $(python3 -c 'import json, sys
s = json.load(open(sys.argv[1])); print([(r["sensor"], r["rung"]) for r in s["rungs"]], s["cgroup"], s["psi"], s["memory_controller"])' "$dir/status.json")"
  elif [ "${after:-0}" -le "${before:-0}" ]; then
    not_ok "$name" "no more ticks: ${before:-none} then ${after:-none}"
  elif [ $code != 0 ]; then
    not_ok "$name" "the agent ended with $code: $(head -1 "$dir/agent.out")"
  else
    ok "$name"
  fi
done
