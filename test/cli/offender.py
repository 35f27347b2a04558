"""offender.py BASE CGROUP idle|spin|leak|share|churn|births SECONDS [AMOUNT]: a bounded offender for the command-line tests.

It joins CGROUP (if not empty), writes its pid to BASE.pid, waits in quiet for five seconds, does its worst for SECONDS,
and is quiet again for ten. Each phase (quiet, fault, after) is written to BASE.phase. AMOUNT: processes that spin, MB
that leak (40 MB/s of memory of their own, or, share, of a file in memory), MB a second that are taken and given back as
a compiler does, or processes that are born and end.
"""
import mmap
import os
import sys
import time


def leak(seconds, megabytes):
    kept, end = [], time.monotonic() + seconds
    while time.monotonic() < end and len(kept) < megabytes * 4:
        piece = mmap.mmap(-1, 256 << 10, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for offset in range(0, len(piece), 4096):
            piece[offset] = 1
        kept.append(piece)
        time.sleep(1 / 160)
    time.sleep(max(0, end - time.monotonic()))


def share(seconds, megabytes):
    file, piece, end = os.memfd_create("hosa-cli"), bytes(256 << 10), time.monotonic() + seconds
    for _ in range(megabytes * 4):
        if time.monotonic() >= end:
            break
        os.write(file, piece)
        time.sleep(1 / 160)
    time.sleep(max(0, end - time.monotonic()))


def churn(seconds, megabytes_a_second):
    piece, end = bytes(4 << 20), time.monotonic() + seconds
    while time.monotonic() < end:
        taken = mmap.mmap(-1, len(piece), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        taken[:] = piece
        taken.close()
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        time.sleep(4 / megabytes_a_second)


def spin(seconds, processes):
    end = time.monotonic() + seconds
    for _ in range(processes):
        if os.fork() == 0:
            while time.monotonic() < end:
                pass
            os._exit(0)
    for _ in range(processes):
        os.wait()


def births(seconds, processes):
    pause = seconds / processes
    for _ in range(processes):
        if os.fork() == 0:
            os._exit(0)
        os.wait()
        time.sleep(pause)


def main():
    base, cgroup, fault, seconds = sys.argv[1:5]
    amount = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    if cgroup:
        with open(cgroup + "/cgroup.procs", "w") as procs:
            procs.write("0")
    with open(base + ".pid", "w") as file:
        file.write(str(os.getpid()))

    def phase(name):
        with open(base + ".phase.new", "w") as file:
            file.write(name)
        os.rename(base + ".phase.new", base + ".phase")

    phase("quiet")
    time.sleep(5)
    phase("fault")
    if fault == "idle":
        time.sleep(float(seconds))
    else:
        {"leak": leak, "share": share, "churn": churn, "spin": spin, "births": births}[fault](float(seconds), amount)
    phase("after")
    time.sleep(10)


main()
