# Makes FOLDER/root, a Debian SUITE with RabbitMQ, from MIRROR. OWNER gets the files, PROXY (may be empty) is the
# variable of a proxy.
# `root` exists only when it is complete; `root.making` is what an interrupted run has left.
set -eu
umask 022
folder=$1 suite=$2 mirror=$3 owner=$4 proxy=$5
exec 9>"$folder/lock"
flock 9 # of two runs at once, the second finds what the first has made
[ "${6-}" != again ] || rm -rf --one-file-system "$folder/root"
[ ! -d "$folder/root" ] || exit 0
making=$folder/root.making
rm -rf --one-file-system "$making"
# debootstrap mounts filesystems and starts programs: in namespaces that end with it, and it ends with this script
env ${proxy:+"$proxy"} setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child \
    debootstrap --force-check-gpg --variant=minbase --include=rabbitmq-server,procps "$suite" "$making" "$mirror" 9>&-
# run.sh mounts the machine's /dev over it
rm -rf --one-file-system "$making/dev" "$making"/var/cache/apt/archives/*.deb
mkdir "$making/dev"
echo '127.0.0.1 localhost' >"$making/etc/hosts"
[ "$owner" = 0:0 ] || chown -R -h "$owner" "$making"
mv "$making" "$folder/root"
