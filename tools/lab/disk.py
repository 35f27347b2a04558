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


def build(path, size_mb, arch, files, settings, packages, script):
    """An ext4 image at PATH. FILES: {path in the guest: path here}; SETTINGS: shell variables; PACKAGES: Debian's."""
    root = path + ".d"
    shutil.rmtree(root, ignore_errors=True)
    for name in "bin sbin usr/bin usr/sbin etc dev proc sys run tmp out lab/bin root var/log".split():
        os.makedirs(os.path.join(root, name))
    cache = os.path.join(kernel.CACHE, "packages-" + arch)
    for package in packages:
        subprocess.run(["dpkg-deb", "-x", kernel.fetch(arch, "bookworm", package, cache), root], check=True)
    shutil.rmtree(os.path.join(root, "usr/share"), ignore_errors=True)
    box = busybox(arch, os.path.join(kernel.CACHE, "busybox-" + arch))
    shutil.copy(box, os.path.join(root, "bin/busybox"))
    for applet in applets(box):
        link = os.path.join(root, "bin", applet)
        if not os.path.lexists(link):
            os.symlink("busybox", link)
    for name in ("init", "episode-lib", "cgroups"):
        shutil.copy(os.path.join(HERE, "guest", name), os.path.join(root, "lab", name))
        os.chmod(os.path.join(root, "lab", name), 0o755)
    shutil.copy(os.path.join(HERE, "guest", script), os.path.join(root, "lab/script"))
    for inside, outside in files.items():
        target = os.path.join(root, inside.lstrip("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(outside, target, follow_symlinks=False)  # fixtures hold links that lead nowhere here
        if not os.path.islink(target):
            os.chmod(target, 0o755)
    open(os.path.join(root, "etc/passwd"), "w").write("root:x:0:0:root:/root:/bin/sh\n")
    open(os.path.join(root, "etc/group"), "w").write("root:x:0:\n")
    if settings["PID1"] == "busybox":
        open(os.path.join(root, "etc/inittab"), "w").write("::once:/lab/init\n")
    with open(os.path.join(root, "lab/settings"), "w") as out:
        for key, value in settings.items():
            out.write(f"export {key}={shlex.quote(str(value))}\n")
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
