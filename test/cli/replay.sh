#!/usr/bin/env bash
# `hosa replay`: a row out per row in, bad rows named with their line, .gz like plain text, and no need of root.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"

# 600 calm rows that say train, 300 calm and 100 shifted ones that say test; deterministic.
awk 'BEGIN { print "t,a,b,label,phase"; r = 7
  for (i = 0; i < 1000; ++i) { for (k = 0; k < 2; ++k) { r = (r * 16807) % 2147483647; x[k] = r / 2147483647 }
    print i "," x[0] + (i >= 900) * 3 "," x[1] ",0," (i < 600 ? "train" : "test") } }' >"$dir/calm.csv"
"$hosa" replay --warmup train "$dir/calm.csv" >"$dir/out" 2>"$dir/err"
verdict replay-rows 'not one row out per row in' test "$(wc -l <"$dir/out")" = 1001 -a ! -s "$dir/err"
verdict replay-header 'other columns' grep -qx 't,D,score,level,regime,phi,rho,d1,d2,ttf,top1,top2,top3,share1,share2,share3' <(head -1 "$dir/out")
verdict replay-learns-on-train 'a level while learning or in the calm after' \
  test "$(awk -F, 'NR > 1 && NR <= 900 && $4 > 0' "$dir/out" | wc -l)" = 0
verdict replay-finds 'the shift has no level, or another column leads' \
  awk -F, 'NR > 920 && $4 >= 1 && $11 == "a" { ++found } END { exit found < 5 }' "$dir/out"

gzip -k "$dir/calm.csv"
"$hosa" replay --warmup train "$dir/calm.csv.gz" | cmp -s - "$dir/out"
verdict replay-gz 'the packed file is judged differently' test "${PIPESTATUS[0]}${PIPESTATUS[1]}" = 00
echo nonsense >"$dir/broken.csv.gz"
if "$hosa" replay "$dir/broken.csv.gz" >/dev/null 2>"$dir/err"; then not_ok replay-broken-gz 'exit code 0'; else ok replay-broken-gz; fi

for cell in nan 0x10 1e999 '' 'one two'; do
  awk -v cell="$cell" -F, -v OFS=, 'NR == 500 { $2 = cell } { print }' "$dir/calm.csv" >"$dir/bad.csv"
  "$hosa" replay "$dir/bad.csv" >"$dir/bad.out" 2>"$dir/err"
  code=$?
  verdict "replay-names-the-line '$cell'" "$(cat "$dir/err")" \
    test $code = 0 -a "$(wc -l <"$dir/bad.out")" = 1001 -a "$(grep -c 'bad.csv:500$' "$dir/err")" = 1
done
"$hosa" replay --strict "$dir/bad.csv" >"$dir/bad.out" 2>"$dir/err"
code=$?
verdict replay-strict 'does not end at the bad row' test $code = 1 -a "$(wc -l <"$dir/bad.out")" = 499

# Other people's tables: a mark of byte order, quotes, a column of dates, a trailing comma, numbers out of all range.
awk -F, -v OFS=, 'NR == 1 { printf "\357\273\277" } { $2 = "\"" $2 "\""; print "2024-01-01 00:00:00", $0, "" }' "$dir/calm.csv" |
  sed '1s/2024-01-01 00:00:00/date/' >"$dir/foreign.csv"
"$hosa" replay --warmup train "$dir/foreign.csv" 2>"$dir/err" | cmp -s - "$dir/out"
verdict replay-foreign "$(cat "$dir/err")" test "${PIPESTATUS[0]}${PIPESTATUS[1]}" = 00
awk 'BEGIN { print "a,b"; for (i = 0; i < 900; ++i) print (i % 7) "e300,-" (i % 5) "e307" }' >"$dir/huge.csv"
"$hosa" replay --warmup 10s "$dir/huge.csv" >"$dir/bad.out" 2>"$dir/err"
verdict replay-huge 'not one finite distance per row' \
  test "$(awk -F, '$2 ~ /^[0-9.e+]+$/ && $3 ~ /^[0-9.e+]+$/' "$dir/bad.out" | wc -l)" = 900
awk 'BEGIN { for (i = 0; i < 70; ++i) printf "c%d,", i; print "x"; for (r = 0; r < 700; ++r) { for (i = 0; i < 70; ++i)
  printf "%d,", (r * (i + 3)) % 11; print 5 } }' >"$dir/wide.csv"
"$hosa" replay --warmup 10s "$dir/wide.csv" >"$dir/bad.out" 2>"$dir/err"
verdict replay-wide "$(cat "$dir/err")" test "$(wc -l <"$dir/bad.out")" = 701 -a "$(grep -c 'first 64' "$dir/err")" = 1
printf 'a,b\nx,y\nz,w\n' >"$dir/text.csv"
if "$hosa" replay "$dir/text.csv" >/dev/null 2>"$dir/err"; then not_ok replay-text 'exit code 0'; else ok replay-text; fi

echo 'a,rate,1,1' >"$dir/schema"
"$hosa" replay --schema "$dir/schema" "$dir/calm.csv" >/dev/null 2>"$dir/err"
verdict replay-bad-schema "$(cat "$dir/err")" grep -q 'schema:1' "$dir/err"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
  cp "$hosa" "$dir/hosa" && chmod 755 "$dir" "$dir/hosa"
  setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/hosa" replay --warmup train - <"$dir/calm.csv" | cmp -s - "$dir/out"
  verdict replay-without-root 'nobody gets something else' test "${PIPESTATUS[0]}${PIPESTATUS[1]}" = 00
else
  skip replay-without-root 'no setpriv, or not root'
fi
