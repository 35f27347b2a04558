"""Kernels by name: fetched as Debian packages, unpacked into the cache, wrapped into an initramfs that only finds the
disk. `Kernel(name)` raises Missing with one line of reason when it cannot be had: the caller prints a red cell."""

import glob
import gzip
import lzma
import os
import re
import shutil
import subprocess
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "hosa-lab")
WANTED = ["boot/vmlinuz-*", "*/modules/*/vmlinuz", "*/modules.builtin", "*/kernel/fs/*", "*/kernel/lib/*", "*/kernel/crypto/*", "*/kernel/mm/*",
          "*/kernel/arch/*", "*/kernel/drivers/block/*", "*/kernel/drivers/virtio/*", "*/kernel/net/*"]


class Missing(Exception):
    pass


def fetch(arch, suite, package, directory, how=()):
    """The path of one .deb, by tools/lab/fetch-deb; Missing if there is none."""
    done = subprocess.run([os.path.join(HERE, "fetch-deb"), *how, arch, suite, package, directory],
                          capture_output=True, text=True)
    if done.returncode:
        raise Missing(done.stderr.strip().replace("\n", "; ") or f"{package}: fetch-deb failed")
    return done.stdout.strip().splitlines()[-1]


def known():
    rows = {}
    for line in open(os.path.join(HERE, "kernels")):
        if line.strip() and not line.startswith("#"):
            name, arch, package, *suites = line.split()
            rows[name] = (arch, package, suites)
    return rows


def unpack(deb, into):
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as tar:
        subprocess.run(["tar", "-x", "-C", into, "--wildcards", *["./" + w for w in WANTED]], stdin=tar.stdout,
                       stderr=subprocess.DEVNULL, check=False)  # a pattern that matches nothing is no error here


def image_in(directory):
    """boot/vmlinuz-RELEASE, or usr/lib/modules/RELEASE/vmlinuz from 7.x on; "" if there is none."""
    found = (glob.glob(os.path.join(directory, "boot", "vmlinuz-*")) +
             glob.glob(os.path.join(directory, "**", "modules", "*", "vmlinuz"), recursive=True))
    return found[0] if found else ""


def read_module(path):
    data = open(path, "rb").read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".gz"):
        return gzip.decompress(data)
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout
    return data


class Kernel:
    def __init__(self, name):
        rows = known()
        if name not in rows:
            raise Missing(f"kernel {name} is not in tools/lab/kernels ({', '.join(rows)})")
        self.name = name
        self.arch, package, suites = rows[name]
        self.directory = self._unpacked(package, suites)
        image = image_in(self.directory)
        beside = os.path.basename(os.path.dirname(image))
        self.release = os.path.basename(image)[len("vmlinuz-"):] or beside
        self.image = self._plain_image(image)
        self._modules = {}
        for path in glob.glob(os.path.join(self.directory, "**", "*.ko*"), recursive=True):
            self._modules[re.sub(r"\.ko.*", "", os.path.basename(path)).replace("-", "_")] = path
        builtin = glob.glob(os.path.join(self.directory, "**", "modules.builtin"), recursive=True)
        self._builtin = {re.sub(r"\.ko.*", "", os.path.basename(line.strip())).replace("-", "_")
                         for path in builtin for line in open(path)}

    def _unpacked(self, package, suites):
        reasons = []
        for suite in suites:
            try:
                deb = fetch(self.arch, suite, package, os.path.join(CACHE, "kernels"), ["--depends-of"])
                return self._unpack_all(deb, suite)
            except Missing as reason:
                reasons.append(str(reason))
        raise Missing(f"{self.name}: " + " | ".join(reasons))

    def _unpack_all(self, deb, suite):
        into = deb[:-len(".deb")]
        if os.path.exists(into):
            return into
        partial = into + ".partial"
        shutil.rmtree(partial, ignore_errors=True)
        os.makedirs(partial)
        debs = [deb]
        # From 7.x on Debian's linux-image is empty; the image and the modules are packages of their own.
        depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], capture_output=True, text=True).stdout
        for part in re.findall(r"linux-(?:base|binary|modules)-[^ ,]+", depends):
            debs.append(fetch(self.arch, suite, part, os.path.join(CACHE, "kernels")))
        for each in debs:
            unpack(each, partial)
        if not image_in(partial):
            raise Missing(f"{self.name}: no kernel image in {os.path.basename(deb)}")
        os.rename(partial, into)
        return into

    def _plain_image(self, path):
        """QEMU 7.2 does not know EFI zboot images (Debian's arm64 from 6.1x on): take the payload out. The header
        (drivers/firmware/efi/libstub/zboot-header.S): "MZ", at 4 "zimg", offset u32, size u32, at 24 the method."""
        head = open(path, "rb").read(64)
        if head[4:8] != b"zimg":
            return path
        plain = os.path.join(os.path.dirname(path), "Image")
        if not os.path.exists(plain):
            data = open(path, "rb").read()
            start, size = int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")
            method, payload = head[24:32].split(b"\0")[0], data[start:start + size]
            if method == b"gzip":
                payload = zlib.decompress(payload, 31)
            elif method.startswith(b"zstd"):
                payload = subprocess.run(["zstd", "-dcq"], input=payload, stdout=subprocess.PIPE, check=True).stdout
            else:
                raise Missing(f"{self.name}: image compressed by {method.decode(errors='replace')}")
            open(plain, "wb").write(payload)
        return plain

    def order(self, names):
        """Module files in the order in which they must be inserted; what is built in is left out."""
        done, files = set(), []

        def add(name, needed_by):
            name = name.replace("-", "_")
            if name in done or name in self._builtin:
                return
            if name not in self._modules:
                raise Missing(f"{self.name} has no module {name} (wanted by {needed_by})")
            done.add(name)
            data = read_module(self._modules[name])
            for found in re.findall(rb"\0?depends=([^\0]*)\0", data):
                for need in filter(None, found.decode().split(",")):
                    add(need, name)
            files.append((name, data))

        for name in names:
            add(name, "the lab")
        return files

    def initramfs(self, path, busybox, modules):
        """An initramfs of busybox, guest/initramfs and the modules, written to PATH."""
        root = path + ".d"
        shutil.rmtree(root, ignore_errors=True)
        for name in ("bin", "dev", "proc", "disk", "modules"):
            os.makedirs(os.path.join(root, name))
        shutil.copy(busybox, os.path.join(root, "bin", "busybox"))
        shutil.copy(os.path.join(HERE, "guest", "initramfs"), os.path.join(root, "init"))
        os.chmod(os.path.join(root, "init"), 0o755)
        # Asked for by name without a "depends" line: crc32c by jbd2 at mount time, its compressor by zram.
        optional = ("crc32c_generic", "libcrc32c", "crc32c_cryptoapi") + (("lzo_rle", "lzo") if "zram" in modules else ())
        optional = [name for name in optional if name in self._modules]
        with open(os.path.join(root, "modules", "order"), "w") as order:
            for name, data in self.order(optional + modules):
                open(os.path.join(root, "modules", name), "wb").write(data)
                order.write(name + "\n")
        names = subprocess.run(["find", ".", "-print0"], cwd=root, capture_output=True, check=True).stdout
        with open(path, "wb") as out:
            subprocess.run(["cpio", "--quiet", "-0", "-o", "-H", "newc", "-R", "0:0"], cwd=root, input=names, stdout=out,
                           check=True)
        shutil.rmtree(root)
