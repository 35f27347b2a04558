#!/usr/bin/env bash
# Leaks of 50 MB/s that last 40 ms, beside programs that take and give back memory all the time: each is told by its own
# record, within 10 ms at the median.
# shellcheck source=test/cli/agent.bash
. "$(dirname "$0")/agent.bash"
need_root

start_agent --shadow --warmup 1h --baseline none || { not_ok onset "$(head -1 "$dir/agent.out")"; exit 1; }
"$hosa" doctor --json | grep -q 'raw_tp mm_page_alloc' || { skip onset 'no probe of memory'; exit 0; }
offend churn-a churn 25 100
offend churn-b churn 25 100
within 10 in_phase churn-b fault
read -r told p50 <<<"$(python3 - "$hosa" "$dir/state" <<'PYTHON'
import json, mmap, os, statistics, subprocess, sys, time

LEAKS, PIECE, BYTES = 10, 16384, 2 << 20


def leak(onset):
    memory = mmap.mmap(-1, BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    time.sleep(0.3)
    begun = time.monotonic_ns()
    os.write(onset, str(begun).encode())
    for at in range(0, BYTES, PIECE):
        for page in range(at, at + PIECE, mmap.PAGESIZE):
            memory[page] = 1
        time.sleep(max(0, (begun + (at + PIECE) * 20 - time.monotonic_ns()) / 1e9))
    os._exit(0)


late = []
for _ in range(LEAKS):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        leak(write)
    begun = int(os.read(read, 32))
    os.waitpid(pid, 0)
    os.close(read), os.close(write)
    status = json.loads(subprocess.run([sys.argv[1], "status", "--json", "--state", sys.argv[2]], capture_output=True).stdout)
    records = [r["time_ns"] for r in status["records"] if r["pid"] == pid and r["time_ns"] >= begun]
    late += [(min(records) - begun) / 1e6] if records else []
print(len(late), round(statistics.median(late or [999]), 1))
PYTHON
)"
echo "onset: $told of 10 leaks recorded, p50 $p50 ms after their onset"
verdict onset-told "$told of 10 leaks were recorded" test "$told" = 10
verdict onset-soon "p50 $p50 ms" awk "BEGIN { exit !($p50 <= 10) }"
exit $bad
