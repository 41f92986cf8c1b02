#!/bin/sh
# Installs what deploy/packages.txt names and this machine lacks; says what it does.
#
# Nothing here starts a service: while the packages are unpacked a policy-rc.d refuses every start,
# and a service that came with a package installed *here* is not enabled either. A broker or a
# database that was on the machine before is left exactly as it was.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
list=${1:-$here/packages.txt}

missing=
for package in $(sed 's/#.*//' "$list"); do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
if [ -z "$missing" ]; then
    exit 0
fi
echo "packages missing:$missing"

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
    echo "installing them needs root: sudo may ask for your password"
else
    echo "neither root nor sudo here; run as root:  apt-get install$missing" >&2
    exit 1
fi

# Services that these packages bring; remember which are new, to leave them off.
new_services=
for service in mosquitto postgresql; do
    case "$missing" in
    *" $service"*)
        [ -e "/lib/systemd/system/$service.service" ] || new_services="$new_services $service" ;;
    esac
done

policy=/usr/sbin/policy-rc.d
made_policy=
restore() {
    [ -z "$made_policy" ] || $as_root rm -f "$policy"
    made_policy=
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a \
        apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# Package lists: fetched when there are none, or none younger than a day; again if that was too old.
fresh=$(find /var/lib/apt/lists -name '*Packages*' -mtime -1 2>/dev/null | head -n 1)
[ -n "$fresh" ] || apt update
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $missing; then
    echo "once more, with fresh package lists"
    apt update
    apt install -y --no-install-recommends $missing
fi

for service in $new_services; do
    if command -v systemctl >/dev/null 2>&1; then
        $as_root systemctl disable "$service" >/dev/null 2>&1 || true
        echo "$service was installed; its system service is left off (systemctl enable $service)"
    fi
done
