#!/usr/bin/env bash
# What a wrong command line, a bad configuration and a missing privilege answer: the exit code, one clear line, and
# nothing left behind.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"

# NAME CODE PATTERN ARGUMENTS...: exit code, exactly one line on standard error that matches, nothing on standard output
answers() {
  local name=$1 code=$2 pattern=$3 got
  shift 3
  timeout 10 "$hosa" "$@" >"$dir/out" 2>"$dir/err"
  got=$?
  if [ $got -ne "$code" ]; then
    not_ok "usage-$name" "exit code $got instead of $code: $(head -1 "$dir/err")"
  elif [ "$(wc -l <"$dir/err")" != 1 ] || ! grep -qE "^hosa: .*$pattern" "$dir/err"; then
    not_ok "usage-$name" "standard error is: $(head -3 "$dir/err")"
  elif [ -s "$dir/out" ]; then
    not_ok "usage-$name" "something on standard output: $(head -1 "$dir/out")"
  else
    ok "usage-$name"
  fi
}
config() { # NAME PATTERN LINES: a bad configuration file is refused with its name and line
  printf '%b' "$3" >"$dir/$1.toml"
  answers "config-$1" 3 "$2" run --shadow --duration 1s --state "$dir/state" --config "$dir/$1.toml"
}

for words in --help -h help 'run --help'; do
  # shellcheck disable=SC2086
  if "$hosa" $words 2>&1 >"$dir/out" | grep -q . || ! grep -q '^usage: hosa VERB' "$dir/out"; then
    not_ok "usage-help" "hosa $words"
  else
    ok "usage-${words// /-}"
  fi
done
verdict usage-version 'hosa --version' grep -qE '^hosa [0-9]+\.[0-9]+' <("$hosa" --version)
"$hosa" >"$dir/out" 2>"$dir/err"
verdict usage-no-verb "exit code or output" test "$?" = 2 -a ! -s "$dir/out" -a -s "$dir/err"

answers unknown-verb 2 'bogus' bogus
answers unknown-option 2 '\-\-bogus' run --bogus
answers unknown-option-with-value 2 '\-\-bogus' run --bogus=1
answers extra-word 2 'extra' status extra
answers bad-duration 2 'ms, s, m or h, not 5x' run --warmup 5x
answers long-duration 2 'at most 168h' run --duration 400h
answers missing-value 2 '\-\-state' run --state
answers empty-value 2 'empty value for --only' run --only=
answers bad-size 2 'K, M or G, not 5X' run --room 5X
answers small-room 2 'at least 16M' run --room 1M
answers without-nonsense 2 'bpf,btf,tracefs,cgroup,memcg,psi, not nose' run --without nose
answers release-what 2 'release takes --all' release
answers no-agent 1 'no such file or directory' status --state "$dir/nobody"
answers no-config 3 'absent.toml' run --shadow --duration 1s --state "$dir/state" --config "$dir/absent.toml"

config range 'policy.ceiling is 2 to 4, not range.toml:2: 9|range.toml:2.*9' '[policy]\nceiling = 9\n'
config unknown-key 'unknown-key.toml:3: run.warmupp' '[run]\n\nwarmupp = "5m"\n'
config duration 'duration.toml:2: .*' '[run]\nwarmup = "5 parsecs"\n'
config pattern 'pattern.toml:2: bad' '[protection]\npatterns = ["bad"]\n'
config no-value 'no-value.toml:1' 'ceiling\n'

if [ "$(id -u)" = 0 ]; then
  # The checkout may lie where nobody else may look: a copy where everybody may.
  chmod 755 "$dir"
  cp "$hosa" "$dir/hosa"
  setpriv --reuid 65534 --regid 65534 --clear-groups "$dir/hosa" run --shadow --duration 1s >"$dir/out" 2>"$dir/err"
  code=$?
  verdict usage-run-without-root "exit code $code, $(head -1 "$dir/err")" \
    test "$code" = 4 -a "$(wc -l <"$dir/err")" = 1 -a ! -s "$dir/out"
fi

verdict usage-nothing-left 'a state directory was made' test ! -e "$dir/state" -a ! -e "$dir/other"
