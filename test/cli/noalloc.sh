#!/usr/bin/env bash
# No allocation after the start, shown two ways. The file that ships contains no allocator at all: the linker's map has
# no member of libc.a that allocates, and none of libstdc++. And what the kernel says of the running agent: no heap, and
# data that does not grow while a thousand processes come and go.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"

if [ -s "$hosa.map" ]; then
  found=$(grep -oE '(libc|libstdc\+\+)\.a\((malloc|calloc|realloc|free|lite_malloc|aligned_alloc|memalign|posix_memalign|brk|sbrk|strdup|fopen|opendir|qsort|new_op[a-z]*)\.l?o\)' "$hosa.map" | sort -u | xargs)
  verdict noalloc-linked "the file that ships contains $found" test -z "$found"
else
  skip noalloc-linked "no linker's map beside $hosa"
fi
need_root

data() { awk '/^VmData/ { print $2 }' "/proc/$agent/status"; }
if ! start_agent --shadow --warmup 2s; then
  not_ok noalloc-running "the agent did not start: $(head -1 "$dir/agent.out")"
  exit 1
fi
sleep 4
before=$(data)
offend births births 6 1000
within 20 in_phase births after
after=$(data)
verdict noalloc-heap "a heap: $(grep '\[heap\]' "/proc/$agent/maps")" test -z "$(grep '\[heap\]' "/proc/$agent/maps")"
verdict noalloc-data "$before KB of data, then $after KB" test "$before" = "$after"
