"""One guest: QEMU by TCG with a counted clock. One instruction is 8 ns of guest time (shift=3: 125 MIPS, a small board),
whatever the host does meanwhile, and idle time passes at once (sleep=off). So times measured in a guest do not depend
on the host, and may be compared within one guest."""

import fcntl
import os
import subprocess
import tempfile
import time

# -cx16: cmpxchg16b under icount corrupts flags in QEMU 7.2; kernels 6.12 crashed in 2 of 5 boots without this.
QEMU = {
    "amd64": ["qemu-system-x86_64", "-machine", "q35,hpet=off", "-cpu", "max,-cx16"],
    "arm64": ["qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth-impdef=on"],
}
CONSOLE = {"amd64": "ttyS0", "arm64": "ttyAMA0"}


def boot(arch, image, initramfs, disks, append, ram_mb, log, limit_s, cpus=1):
    """Boots and waits. Returns (seconds of real time, None or the reason why it did not end by itself). One guest at a
    time on this host: two would share its cores, and a run's real-time limit would mean nothing."""
    # Two CPUs on a counted clock do not come up (QEMU 7.2, Linux 6.1: nothing on the console): theirs is the real one.
    clock = ["-icount", "shift=3,sleep=off"] if cpus == 1 else []
    command = QEMU[arch] + ["-accel", "tcg,thread=single", *clock, "-smp", str(cpus), "-m", str(ram_mb),
                            "-nodefaults", "-no-reboot", "-display", "none", "-serial", "file:" + log,
                            "-rtc", "base=utc,clock=vm", "-kernel", image, "-initrd", initramfs,
                            "-append", f"console={CONSOLE[arch]} quiet loglevel=4 panic=-1 random.trust_cpu=on {append}"]
    for number, disk in enumerate(disks):
        command += ["-drive", f"file={disk},format=raw,if=none,id=d{number},cache=unsafe", "-device",
                    f"virtio-blk-pci,drive=d{number}"]
    with open(os.path.join(tempfile.gettempdir(), "hosa-vm.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start = time.monotonic()
        with open(log + ".qemu", "w") as errors:
            guest = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)
            try:
                code = guest.wait(timeout=limit_s)
                reason = None if code == 0 else f"qemu ended with {code}: {open(log + '.qemu').read().strip()[-300:]}"
            except subprocess.TimeoutExpired:
                reason = f"not over after {limit_s} s of real time"
            finally:
                if guest.poll() is None:
                    guest.kill()
                    guest.wait()
        return time.monotonic() - start, reason
