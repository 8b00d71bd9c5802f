#!/bin/sh
# Runs the image's program as a container runtime would, where none can be used: a mount namespace of its own with the
# root file system read-only, the host's /proc (as with hostPID) and /sys, a few devices, writable mounts where the chart
# has volumes; then exactly these capabilities, and no new privileges.
#   jail.sh ROOTFS STATE CAPABILITIES COMMAND [ARGS...]     STATE: directory behind the mounts; its env file is sourced
set -eu
if [ "${JAILED:-}" != 1 ]; then
  JAILED=1 exec unshare --mount --propagation private -- sh "$0" "$@"
fi
root=$1 state=$2 capabilities=$3 command=$4
shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o size=64k,mode=755 dev "$root/dev"
for device in null zero random urandom; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
for path in var/lib/emberscope var/cache/emberscope run/emberscope tmp etc/emberscope; do
  mkdir -p "$state/$path"
  mount --bind "$state/$path" "$root/$path"
done
mount -o remount,bind,ro "$root/etc/emberscope"

drop=
for number in $(seq 0 "$(cat /proc/sys/kernel/cap_last_cap)"); do
  name=$(capsh --explain="$number" | sed -n 's/^\(cap_[a-z_]*\) .*/\1/p;q')
  case ",$capabilities," in
    *",$name,"*) ;;
    *) drop="$drop,$name" ;;
  esac
done
# shellcheck disable=SC2046 # one word a variable
exec env -i PATH=/usr/bin NODE_ENV=production EMBERSCOPE_CACHE_DIR=/var/cache/emberscope/tables $(cat "$state/env" 2> /dev/null) \
  "$(command -v capsh)" --chroot="$root" --inh="$capabilities" --drop="${drop#,}" --no-new-privs --shell="$command" -- "$@"
