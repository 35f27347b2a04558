#!/usr/bin/env bash
# What was learned is kept over a restart, whole or not at all, and what is not ours is refused without harm.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root
file=$dir/baseline

started() { # NAME OPTIONS...: an agent that watches, with this baseline
  local name=$1
  shift
  start_agent --shadow --warmup 60s --baseline "$file" "$@" && return
  not_ok "$name" "the agent did not start: $(head -1 "$dir/agent.out")"
  exit 1
}
says() { grep -oE "\"event\":\"baseline\".*$1" "$dir/audit.jsonl" >/dev/null; }
known() { grep -oE '[0-9]+ of [0-9]+ dimensions are known' "$dir/agent.out"; }

started baseline-first --warmup 2s
verdict baseline-first "no baseline at the end of the warm-up" within 10 test -s "$file"
stop_agent
verdict baseline-mode "$(stat -c %a "$file")" test "$(stat -c %a "$file")" = 600
cp "$file" "$dir/good"

started baseline-restart
verdict baseline-restart "still learning for $(ask "s['warmup_left_s']") s" test "$(ask "s['warming']")" = False
verdict baseline-says "$(cat "$dir/agent.out")" test -n "$(known)"
verdict baseline-finite "$(ask "s['d'], s['dbar']")" test "$(ask "0 <= s['dbar'] < 1e6")" = True
kill -KILL "$agent" # no orderly end: what stands there stays
wait "$agent" 2>/dev/null
agent=''
verdict baseline-survives-kill 'another file after kill -9' cmp -s "$file" "$dir/good"
within 5 gone "$keeper"

# A probe less: what remains is known at once. A probe more: the rest is learned in a minute at most.
started baseline-fewer --without bpf
verdict baseline-fewer "$(cat "$dir/agent.out")" test "$(ask "s['warming']")" = False
stop_agent
few=$(stat -c %s "$file")
if [ "$few" -lt "$(stat -c %s "$dir/good")" ]; then
  started baseline-more --warmup 3s
  verdict baseline-more-warms "warming: $(ask "s['warming']")" grep -q 'the others are learned' "$dir/agent.out"
  verdict baseline-more-merges "$(tail -3 "$dir/audit.jsonl")" within 10 says 'was merged with what is new'
  stop_agent
  verdict baseline-more-kept "$(stat -c %s "$file") bytes" test "$(stat -c %s "$file")" -gt "$few"
else
  skip baseline-more 'no BPF here: there is no dimension less without it'
fi

refused() { # NAME REASON: the file that stands there now
  started "$1"
  verdict "$1" "$(head -1 "$dir/agent.out")" grep -q "the baseline was refused: .*$2" "$dir/agent.out"
  verdict "$1-learns" 'not learning' test "$(ask "s['warming']")" = True
  stop_agent
}
head -c 3000 "$dir/good" >"$file"
chmod 600 "$file"
refused baseline-cut 'it was cut or grew'
verdict baseline-set-aside 'not set aside' test -s "$file.refused" -a ! -e "$file"
echo 'hello' >"$file"
chmod 600 "$file"
refused baseline-strange 'no baseline of hosa'
{ cat "$dir/good"; echo x; } >"$file"
chmod 666 "$file"
refused baseline-writable-by-others 'others may write'
verdict baseline-others-file-stays 'it was moved' test -e "$file"
rm -f "$file"
mkfifo "$file"
refused baseline-fifo 'others may write'
rm -f "$file"

# A place that cannot be written is told once and ends nothing.
file=$dir/nowhere/baseline
started baseline-nowhere --warmup 2s
verdict baseline-nowhere-told "$(cat "$dir/agent.out")" within 12 grep -q 'no such file' "$dir/agent.out"
verdict baseline-nowhere-runs 'the agent has ended' within 1 "$hosa" status --state "$dir/state"
stop_agent
verdict baseline-nowhere-once "$(cat "$dir/agent.out")" test "$(grep -c nowhere "$dir/agent.out")" = 1
file=none
started baseline-none --warmup 2s
sleep 4
stop_agent
verdict baseline-none "$(ls "$dir/state")" test ! -e "$dir/state/baseline"
