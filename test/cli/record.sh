#!/usr/bin/env bash
# `hosa record` and `hosa sense --csv`: ten rows a second, bounded, and read back by `hosa replay`.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"

"$hosa" record --for 4s "$dir/r.csv" 2>"$dir/err"
code=$?
verdict record "$(cat "$dir/err")" test $code = 0 -a -s "$dir/r.csv.schema"
rows=$(grep -vc '^#' "$dir/r.csv")
verdict record-ten-a-second "$rows lines in 4 s" test "$rows" -ge 36 -a "$rows" -le 41
columns=$(grep -c , "$dir/r.csv.schema")
verdict record-rows-are-whole 'a row of another length' \
  awk -F, -v n=$((columns + 3)) '!/^#/ && NF != n { bad = 1 } END { exit bad }' "$dir/r.csv"
"$hosa" replay --schema "$dir/r.csv.schema" --warmup 2s --strict "$dir/r.csv" >"$dir/out" 2>"$dir/err"
code=$?
verdict record-replays "$(cat "$dir/err")" test $code = 0 -a "$(wc -l <"$dir/out")" = "$rows"
verdict record-judged 'no distance after the warm-up' awk -F, 'NR > 30 && $2 > 0 { ++some } END { exit !some }' "$dir/out"

cp "$dir/r.csv" "$dir/kept"
"$hosa" record --for 1s "$dir/r.csv" 2>"$dir/err"
code=$?
verdict record-overwrites-nothing "$(cat "$dir/err")" test $code = 1 -a "$(cmp "$dir/r.csv" "$dir/kept" && echo same)" = same
"$hosa" record --step 10ms --size 64K "$dir/small.csv" 2>/dev/null
verdict record-bounded "$(stat -c %s "$dir/small.csv") bytes" test "$(stat -c %s "$dir/small.csv")" -le 65536
"$hosa" record --for 25h "$dir/long.csv" 2>"$dir/err"
code=$?
verdict record-at-most-a-day "$(cat "$dir/err")" test $code = 2 -a ! -e "$dir/long.csv"
"$hosa" record --for 2s - >/dev/full 2>"$dir/err"
verdict record-full-disk "$(cat "$dir/err")" grep -q 'no space' "$dir/err"
"$hosa" record --for 60s "$dir/stopped.csv" 2>/dev/null &
sleep 2
kill -INT $!
wait $!
verdict record-interrupted 'no rows' test "$(grep -vc '^#' "$dir/stopped.csv")" -ge 10 -a -z "$(tail -c1 "$dir/stopped.csv" | tr -d '\n')"

"$hosa" sense --csv --for 1s >"$dir/sense.csv"
verdict sense-csv-same-columns 'other columns' test "$(grep '^t,' "$dir/sense.csv")" = "$(grep '^t,' "$dir/r.csv")"
sed -n 's/^# \([a-z]\)/\1/p' "$dir/sense.csv" | tail -n +2 >"$dir/sense.schema"
"$hosa" replay --schema "$dir/sense.schema" "$dir/sense.csv" >"$dir/out" 2>"$dir/err"
verdict sense-csv-says-its-schema "$(cat "$dir/err")" test "$(wc -l <"$dir/out")" = "$(grep -vc '^#' "$dir/sense.csv")"
