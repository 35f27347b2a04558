#!/usr/bin/env python3
"""paired.py ROUNDS OBJ YARD [HOSA_LOAD]: open and load of one object, alternating; medians of CPU time, and memory."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

rounds, path, yard = int(sys.argv[1]), sys.argv[2], sys.argv[3]
hosa_load = sys.argv[4] if len(sys.argv) > 4 else "build/hosa-load"
COMMANDS = {"libbpf": [yard, "--once", path], "hosa-load": [hosa_load, path]}


def run(words):
    pid = os.posix_spawn(words[0], words, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_utime, status


def memory_mb(program):
    """The peak (VmHWM) after the object, while the program waits for another that nobody writes. (What wait4 tells
    includes the program that started it.)"""
    with tempfile.TemporaryDirectory() as directory:
        pipe = os.path.join(directory, "pipe.o")
        os.mkfifo(pipe)
        child = subprocess.Popen([program, path, pipe], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.5)
        with open(f"/proc/{child.pid}/status") as status:
            peak = next(line for line in status if line.startswith("VmHWM")).split()[1]
        child.kill()
        child.wait()
    return int(peak) / 1024


seen = {name: [] for name in COMMANDS}
for _ in range(rounds):
    for name, words in COMMANDS.items():
        seen[name].append(run(words))
for name, words in COMMANDS.items():
    calls = subprocess.run(["strace", "-f", "-e", "trace=bpf", *words], capture_output=True, text=True).stderr
    cpu, user = (statistics.median(row[i] for row in seen[name]) for i in range(2))
    print(f"{name:9}  {cpu * 1000:6.2f} ms CPU ({user * 1000:.2f} user)  {memory_mb(words[0]):5.2f} MB  "
          f"{calls.count('bpf(')} bpf calls  exit {seen[name][0][2]}")
ratio = [a[0] / b[0] for a, b in zip(seen["hosa-load"], seen["libbpf"]) if b[0]]
print(f"CPU of hosa-load / libbpf: {statistics.median(ratio):.2f} (median of {len(ratio)} pairs)")
