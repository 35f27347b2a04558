#!/usr/bin/env bash
# hosa-load on real objects: one JSON line for each, the exit code, a reason with its source line for what is refused,
# and nothing left in the kernel.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root
load=build/hosa-load
fixtures=test/fixtures/loader

"$load" "$fixtures"/memory.bpf.o "$fixtures"/brk.bpf.o >"$dir/out" 2>"$dir/err"
code=$?
verdict load-own-probes "exit code $code: $(head -1 "$dir/err")" test "$code" = 0
verdict load-a-line-each "$(head -c 200 "$dir/out")" test "$(wc -l <"$dir/out")" = 2
verdict load-json "not JSON: $(head -c 200 "$dir/out")" \
  python3 -c 'import json,sys; [json.loads(line)["programs"][0]["fingerprint"] for line in open(sys.argv[1])]' "$dir/out"

"$load" "$fixtures"/whole/whole.bpf.o >"$dir/out" 2>"$dir/err"
verdict load-refused "exit code" test "$?" = 1
verdict load-source-line "$(head -3 "$dir/err")" grep -qE '^  instruction [0-9]+, .*whole\.bpf\.c:[0-9]+: ' "$dir/err"

"$load" "$fixtures"/malformed/*.o >"$dir/out" 2>"$dir/err"
verdict load-malformed "exit code or a line missing" \
  test "$?" = 1 -a "$(wc -l <"$dir/out")" = "$(find "$fixtures/malformed" -name '*.o' | wc -l)"

"$load" build/probes/*.bpf.o >"$dir/out" 2>"$dir/err"
code=$?
verdict load-probes-of-today "exit code $code: $(head -1 "$dir/err")" test "$code" = 0

"$load" --btf none "$fixtures"/contexts/contexts.bpf.o >"$dir/out" 2>"$dir/err"
code=$?
verdict load-without-btf "$(head -1 "$dir/err")" test "$code" = 1 -a "$(wc -l <"$dir/err")" = 1
verdict load-says-what-needs-btf "$(head -1 "$dir/err")" grep -q 'task: needs kernel BTF: type task_struct' "$dir/err"
verdict load-contexts-from-formats "$(cat "$dir/out")" test "$(grep -o '"errno":0' "$dir/out" | wc -l)" = 3

"$load" "$fixtures"/links/links.bpf.o >"$dir/out" 2>"$dir/err"
verdict load-links "$(cat "$dir/err")" test "$(grep -o '"errno":0' "$dir/out" | wc -l)" = 3 -a "$(wc -l <"$dir/err")" = 2

"$load" --type 0 x 2>"$dir/err"
code=$?
verdict load-usage "$(head -1 "$dir/err")" test "$code" = 2
exit $bad
