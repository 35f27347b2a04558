#!/usr/bin/env bash
# hosa doctor and hosa sense: what they say is what is so: as root, as nobody, with each rung taken away, and beside a
# program whose load is known.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"

# NAME EXPRESSION: a Python expression over the doctor's answer d in $dir/doctor.json, its senses by name (s) and its
# means (m).
says() {
  local got
  got=$(python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
s = {x["name"]: x for x in d["senses"]}
m = {x["name"]: x for x in d["means"]}
print(eval(sys.argv[2]))' "$dir/doctor.json" "$2" 2>&1)
  verdict "$1" "$2 is $(tail -1 <<<"$got")" test "$got" = True
}

"$hosa" doctor >"$dir/out" 2>"$dir/err"
code=$?
verdict doctor-exit "exit code $code, $(head -1 "$dir/err")" test $code = 0 -a ! -s "$dir/err"
verdict doctor-page 'no list of senses and means' grep -q '^means of holding' "$dir/out"
"$hosa" doctor --json >"$dir/doctor.json"
says doctor-machine "d['machine']['page_bytes'] == $(getconf PAGESIZE) and d['machine']['online_cpus'] == $(grep -c '^cpu[0-9]' /proc/stat)"
says doctor-kernel "'$(uname -r)' in d['machine']['kernel'] and '$(uname -m)' in d['machine']['kernel']"
says doctor-psi "d['machine']['psi'] == $([ -r /proc/pressure/memory ] && echo True || echo False)"
says doctor-btf "d['machine']['btf'] == $([ -r /sys/kernel/btf/vmlinux ] && echo True || echo False)"
says doctor-complete "all(x['chain'] and x['rung'] and (x['rung'] == 'absent' or x['chain'].find(x['rung']) >= 0) for x in s.values())"
says doctor-reasons "all(x['why_not_better'] for x in list(s.values()) + d['means'] if x['rung'] != x['chain'].split(' -> ')[0])"
says doctor-means "{'memory insurance', 'hold room', 'cpu', 'tasks', 'journal'} <= set(m)"

"$hosa" doctor --table >"$dir/table"
verdict doctor-table 'a sense is not in the table' python3 -c 'import json, sys
names = {line.split("|")[1].strip() for line in open(sys.argv[1]) if line.startswith("|")}
sys.exit(not {x["name"] for x in json.load(open(sys.argv[2]))["senses"]} <= names)' "$dir/table" "$dir/doctor.json"

verdict doctor-documentation 'tools/hosa/dimensions.md is not what hosa doctor --table prints' cmp -s "$dir/table" tools/hosa/dimensions.md

for word in bpf tracefs cgroup memcg psi; do
  "$hosa" doctor --json --without $word >"$dir/doctor.json"
  case $word in
    bpf) lower="not any('raw_tp' in x['rung'] for x in s.values()) and '--without bpf' in s['memory_allocated']['why_not_better'] and s['memory_allocated']['costs'] != ''" ;;
    tracefs) lower="not d['machine']['tracefs']" ;;
    cgroup) lower="m['hold room']['rung'] == 'SIGSTOP' and '--without cgroup' in m['hold room']['why_not_better']" ;;
    memcg) lower="not d['machine']['memory_controller'] and m['memory insurance']['rung'].startswith('none')" ;;
    psi) lower="s['cpu_wait']['rung'] == s['io_wait']['rung'] == 'absent' and '--without psi' in s['cpu_wait']['why_not_better']" ;;
  esac
  says "doctor-without-$word" "$lower"
done

chmod 755 "$dir"
cp "$hosa" "$dir/hosa"
if [ "$(id -u)" = 0 ]; then
  setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/hosa" doctor --json >"$dir/doctor.json" 2>"$dir/err"
  code=$?
  verdict doctor-without-root "exit code $code" test $code = 0
  says doctor-without-root-remedy "'sudo' in s['wakeups']['improve'] and s['cpu_busy']['rung'] == '/proc/stat'"
  setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/hosa" sense --json --for 1s --state "$dir/nobody" >"$dir/out" 2>&1
  verdict sense-without-root "$(head -c 200 "$dir/out")" grep -q '"name":"memory_available"' "$dir/out"
fi

# Without a /proc that tells anything, and without probes, nothing of the CPUs is sensed.
if [ "$(id -u)" = 0 ]; then
  unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$@"' sh "$hosa" doctor --without bpf >"$dir/out" 2>"$dir/err"
  code=$?
  verdict doctor-blind "exit code $code" test $code = 4
fi

# A program that keeps one CPU busy is named, and the share of CPU time is what it is.
python3 -c 'while True: pass' &
spinner=$!
"$hosa" sense --once --json --state "$dir/nobody" >"$dir/sense.json" 2>"$dir/err"
kill $spinner
wait $spinner 2>/dev/null
sensed() {
  python3 -c 'import json, sys
j = json.loads(open(sys.argv[1]).read())
v = {x["name"]: x for x in j["vector"]}
sys.exit(not eval(sys.argv[2]))' "$dir/sense.json" "$1"
}
verdict sense-once "$(head -c 200 "$dir/sense.json" "$dir/err")" sensed "len(v) >= 15 and all('mean' in x for x in v.values())"
verdict sense-busy 'less than a CPU is busy' sensed "v['cpu_busy']['mean'] > 0.8 / $(grep -c '^cpu[0-9]' /proc/stat)"
verdict sense-carriers "$(grep -o '"carriers.*' "$dir/sense.json")" sensed "any(x['resource'] == 'cpu' and x['amount'] > 0.3 for x in j['carriers'])"

if [ "$(id -u)" = 0 ]; then
  if start_agent --shadow --warmup 2s --duration 12s; then
    sleep 4
    "$hosa" sense --once --json --state "$dir/state" >"$dir/sense.json"
    verdict sense-from-agent "$(head -c 200 "$dir/sense.json")" sensed "j['from'] == 'the running agent' and len(v) >= 15"
    stop_agent
  else
    not_ok sense-from-agent "the agent did not start: $(head -1 "$dir/agent.out")"
  fi
fi

# Who carries what, and nothing else: on a quiet machine that is nobody, which is said; a busy program is named.
top() { "$hosa" sense --top "$@" --state "$dir/nobody" >"$dir/out" 2>"$dir/err"; }
top --once
verdict sense-top-alone "$(head -3 "$dir/out")" awk '$1 == "dimension" { bad = 1 } NR > 1 { who = 1 } END { exit bad || !who }' "$dir/out"
python3 -c 'while True: pass' &
spinner=$!
top --once
kill $spinner
wait $spinner 2>/dev/null
verdict sense-top "$(head -3 "$dir/out")" awk '$1 == "dimension" { bad = 1 } $1 == "cpu" && $2 > 0.3 { who = 1 } END { exit bad || !who }' "$dir/out"
exit $bad
