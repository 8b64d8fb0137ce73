#!/bin/sh
# Runs the program of this script's name in the tree `root`, with the machine's processes, devices, network and temporary folder.
# The mounts are in a mount namespace of their own: no other process sees them, and they end with the last process in it.
set -eu
here=$(dirname "$(readlink -f "$0")")
program=$(basename "$0")
case $program in
    rabbitmq*) program=/usr/lib/rabbitmq/bin/$program ;;
esac
# only root may mount; other users may in a user namespace
user=
[ "$(id -u)" = 0 ] || user=--map-root-user
# shellcheck disable=SC2086
exec unshare $user --mount --propagation private sh -euc '
root=$1 temporary=$2
shift 2
for at in /proc /sys /dev /tmp; do
    mount --rbind "$at" "$root$at"
done
if ! [ "$temporary" -ef "$root$temporary" ]; then
    mkdir -p "$root$temporary"
    mount --rbind "$temporary" "$root$temporary"
fi
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
exec chroot "$root" "$@"
' sh "$here/root" "${TMPDIR:-/tmp}" "$program" "$@"
