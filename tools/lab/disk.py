"""The guest's two disks: one with everything under test (a disk, not an initramfs: text that can be evicted is what
users have), one for results, read back without root by debugfs."""

import glob
import os
import shlex
import shutil
import subprocess

import kernel

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = {"offender": ["offender.c", "faults.c"], "sampler": ["sampler.c", "inspect.c"], "strike": ["strike.c", "inspect.c"],
            "bystander": ["bystander.c"], "innocent": ["innocent.c"]}
COMPILER = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
os.environ["PATH"] += ":/sbin:/usr/sbin"


def programs(arch, into):
    """Compiles the programs under test, static, if their sources are newer."""
    os.makedirs(into, exist_ok=True)
    compiler = shutil.which(COMPILER[arch]) or (shutil.which("gcc") if arch == "amd64" else None)
    if not compiler:
        raise kernel.Missing(f"no C compiler for {arch} ({COMPILER[arch]})")
    headers = glob.glob(os.path.join(ROOT, "test/lab/*.h"))
    for name, sources in PROGRAMS.items():
        target, files = os.path.join(into, name), [os.path.join(ROOT, "test/lab", s) for s in sources]
        newest = max(os.path.getmtime(f) for f in files + headers)
        if not os.path.exists(target) or os.path.getmtime(target) < newest:
            subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-static", "-Wall", "-Wextra", "-I", ROOT,
                            *files, "-o", target, "-pthread"], check=True)
    return [os.path.join(into, name) for name in PROGRAMS]


def busybox(arch, into):
    """The static busybox of that architecture, from its package."""
    os.makedirs(into, exist_ok=True)
    where = os.path.join(into, "**", "bin", "busybox")
    found = glob.glob(where, recursive=True)
    if not found:
        deb = kernel.fetch(arch, "bookworm", "busybox-static", into)
        subprocess.run(["dpkg-deb", "-x", deb, into], check=True)
        found = glob.glob(where, recursive=True)
    return found[0]


def applets(box):
    native = shutil.which("busybox") or box  # a foreign one cannot be asked; the list is the package's
    return subprocess.run([native, "--list"], capture_output=True, text=True, check=True).stdout.split()


def unpack_packages(root, arch, packages):
    cache = os.path.join(kernel.CACHE, "packages-" + arch)
    for package in packages:
        deb = kernel.fetch(arch, "bookworm", package, cache)
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as tar:
            # dpkg-deb -x would put a directory in the place of a merged-usr Debian's link /lib.
            subprocess.run(["tar", "-xp", "--keep-directory-symlink", "-C", root], stdin=tar.stdout, check=True)


def busybox_tree(root, box, arch, settings, packages):
    """A machine of BusyBox alone."""
    for name in "bin sbin usr/bin usr/sbin etc dev proc sys run tmp out lab/bin root var/log".split():
        os.makedirs(os.path.join(root, name))
    unpack_packages(root, arch, packages)
    shutil.rmtree(os.path.join(root, "usr/share"), ignore_errors=True)
    shutil.copy(box, os.path.join(root, "bin/busybox"))
    for applet in applets(box):
        link = os.path.join(root, "bin", applet)
        if not os.path.lexists(link):
            os.symlink("busybox", link)
    open(os.path.join(root, "etc/passwd"), "w").write("root:x:0:0:root:/root:/bin/sh\n")
    open(os.path.join(root, "etc/group"), "w").write("root:x:0:\n")
    if settings["PID1"] == "busybox":
        open(os.path.join(root, "etc/inittab"), "w").write("::once:/lab/init\n")


def put(root, path, text, mode=0o644, how="w"):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, how) as out:
        out.write(text)
    os.chmod(path, mode)


LAB_UNIT = """[Unit]
Description=the lab's scenario
After=ssh.service systemd-user-sessions.service dbus.service
[Service]
Type=exec
ExecStart=/lab/init-systemd
KillMode=process
TimeoutStopSec=5
OOMScoreAdjust=-900
"""
# Runs when systemd has stopped everything and unmounted what it could: how long the way down took.
LAB_SHUTDOWN = """#!/bin/sh
mkdir -p /run/last && mount /dev/vdb /run/last && cut -d' ' -f1 /proc/uptime >/run/last/shutdown
umount /run/last
"""


def debian_tree(root, arch, settings, packages):
    """A whole Debian with systemd (server-root), a user ann, the shipped installation of hosa, the lab as a unit."""
    if os.geteuid() != 0:
        raise kernel.Missing("a Debian with its owners can be unpacked by root only")
    made = subprocess.run([os.path.join(HERE, "server-root")], capture_output=True, text=True)
    if made.returncode:
        raise kernel.Missing(made.stderr.strip() or "server-root failed")
    os.makedirs(root)
    subprocess.run(["tar", "-xpf", made.stdout.strip(), "--exclude=./dev/*", "-C", root], check=True)
    for name in ("out", "lab/bin", "lab/packages"):
        os.makedirs(os.path.join(root, name))
    unpack_packages(root, arch, packages)
    for package in settings["INSTALL"].split():
        shutil.copy(kernel.fetch(arch, "bookworm", package, os.path.join(kernel.CACHE, "packages-" + arch)),
                    os.path.join(root, "lab/packages"))
    put(root, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    put(root, "etc/hostname", "lab\n")
    put(root, "etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n", how="a")
    put(root, "etc/group", "ann:x:1000:\n", how="a")
    put(root, "etc/shadow", "ann:*:19000:0:99999:7:::\n", 0o640, how="a")
    os.makedirs(os.path.join(root, "home/ann"))
    os.chown(os.path.join(root, "home/ann"), 1000, 1000)
    put(root, "etc/systemd/system/lab.service", LAB_UNIT)
    put(root, "usr/lib/systemd/system-shutdown/lab", LAB_SHUTDOWN, 0o755)
    wants = os.path.join(root, "etc/systemd/system/multi-user.target.wants")
    os.makedirs(wants, exist_ok=True)
    os.symlink("/dev/null", os.path.join(root, "etc/systemd/system/serial-getty@ttyS0.service"))  # no udev: its device never comes
    os.symlink("../lab.service", os.path.join(wants, "lab.service"))
    if settings["AGENT"] == "hosa":
        subprocess.run([os.path.join(ROOT, "tools/package/install"), "--root", root], check=True, stdout=subprocess.DEVNULL)
        os.remove(os.path.join(wants, "hosa.service"))  # the scenario starts it
        command = settings["AGENT_COMMAND"].replace("${WARMUP}", str(settings["WARMUP"]))
        put(root, "etc/systemd/system/hosa.service.d/lab.conf", f"[Service]\nExecStart=\nExecStart=/usr/sbin/{command}\n")


def build(path, size_mb, arch, files, settings, packages, script):
    """An ext4 image at PATH. FILES: {path in the guest: path here}; SETTINGS: shell variables; PACKAGES: Debian's."""
    root = path + ".d"
    shutil.rmtree(root, ignore_errors=True)
    box = busybox(arch, os.path.join(kernel.CACHE, "busybox-" + arch))
    if settings["PID1"] == "systemd":
        debian_tree(root, arch, settings, packages)
        size_mb = max(size_mb, 1024)
    else:
        busybox_tree(root, box, arch, settings, packages)
    for name in ("init", "init-systemd", "episode-lib", "server-lib", "cgroups", "life"):
        shutil.copy(os.path.join(HERE, "guest", name), os.path.join(root, "lab", name))
        os.chmod(os.path.join(root, "lab", name), 0o755)
    shutil.copy(os.path.join(HERE, "guest", script), os.path.join(root, "lab/script"))
    for inside, outside in files.items():
        target = os.path.join(root, inside.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(outside, target, follow_symlinks=False)  # fixtures hold links that lead nowhere here
        if not os.path.islink(target):
            os.chmod(target, 0o755)
    put(root, "lab/settings", "".join(f"export {key}={shlex.quote(str(value))}\n" for key, value in settings.items()))
    make_ext4(path, size_mb, root)
    shutil.rmtree(root)
    return box


def make_ext4(path, size_mb, root=None):
    with open(path, "wb") as image:
        image.truncate(size_mb << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "root_owner=0:0,lazy_itable_init=0", "-m", "0",
                    *(["-d", root] if root else []), path], check=True, stdout=subprocess.DEVNULL)


def read_back(image, into):
    """Copies everything out of an ext4 image; what a guest left unclean is replayed first."""
    os.makedirs(into, exist_ok=True)
    subprocess.run(["e2fsck", "-fy", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["debugfs", "-R", f"rdump / {into}", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
