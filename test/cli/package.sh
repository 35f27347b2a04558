#!/usr/bin/env bash
# The installer, into images of four kinds: what it puts there, twice the same, and gone again.
set -u
image=$(mktemp -d)
trap 'rm -rf "$image"' EXIT
check() {  # check NAME COMMAND...
  local name=$1; shift
  if "$@" >/dev/null 2>&1; then echo "ok $name"; else echo "not ok $name: $* failed"; fi
}
fresh() { rm -rf "$image"; mkdir -p "$image"; }

fresh; mkdir -p "$image/lib/systemd/system" "$image/usr/lib/systemd"; printf "#!/bin/sh\n" >"$image/lib/systemd/systemd"; chmod +x "$image/lib/systemd/systemd"; cp "$image/lib/systemd/systemd" "$image/usr/lib/systemd/"
check package-systemd-installs tools/package/install --root "$image"
check package-systemd-enables test -L "$image/etc/systemd/system/multi-user.target.wants/hosa.service"
check package-runs "$image/usr/sbin/hosa" --version
check package-systemd-removes tools/package/install --root "$image" --uninstall
check package-systemd-leaves-nothing test ! -e "$image/usr/sbin/hosa" -a ! -e "$image/etc/systemd/system/hosa.service"
fresh; mkdir -p "$image/sbin"; printf '#!/bin/sh\n' >"$image/sbin/openrc-run"; chmod +x "$image/sbin/openrc-run"
check package-openrc-installs tools/package/install --root "$image"
check package-openrc-script-parses sh -n "$image/etc/init.d/hosa"
fresh; mkdir -p "$image/sbin"; printf '#!/bin/sh\n' >"$image/sbin/procd"; chmod +x "$image/sbin/procd"
check package-procd-installs tools/package/install --root "$image"
check package-procd-script-parses sh -n "$image/etc/init.d/hosa"
fresh; mkdir -p "$image/etc"; echo '::sysinit:/bin/true' >"$image/etc/inittab"
check package-inittab-installs tools/package/install --root "$image"
tools/package/install --root "$image" >/dev/null
check package-inittab-once test "$(grep -c hosa "$image/etc/inittab")" = 1
check package-inittab-removes tools/package/install --root "$image" --uninstall
check package-inittab-clean test "$(grep -c hosa "$image/etc/inittab")" = 0
