#!/bin/sh
# Builds the image from the files of this checkout that git does not ignore, and writes its root file system, for run.sh.
#   build.sh DIRECTORY     gets rootfs/, image.tar.gz (as a registry would hold it) and build.log
# Layers are kept in ~/.cache/emberscope-image between builds (gigabytes; it may be removed at any time).
# apt and npm are used in the build as they are set up on this machine; only mounted, nothing of that is in a layer.
set -eu
cd "$(dirname "$0")/../.."
out=$1
store=${XDG_CACHE_HOME:-$HOME/.cache}/emberscope-image
mkdir -p "$store" "$out/context"
b() { buildah --root "$store/root" --runroot "$out/run" --storage-driver overlay "$@"; }
sh test/image/base.sh buildah --root "$store/root" --runroot "$out/run" --storage-driver overlay

git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for file; do [ ! -e "$file" ] || printf "%s\0" "$file"; done' sh |
  tar -c --null -T - | tar -x -C "$out/context"

set --
for pair in /etc/apt /etc/ssl /usr/local/share/ca-certificates /root/.npmrc; do
  if [ -e "$pair" ]; then set -- "$@" --volume "$pair:$pair:ro"; fi
done
if [ -e /etc/npmrc ]; then set -- "$@" --volume /etc/npmrc:/usr/local/etc/npmrc:ro; fi
b bud --pull-never --isolation chroot --network host --layers "$@" \
  --build-arg VERSION="$(node -p 'require("./package.json").version')" \
  --build-arg REVISION="$(git rev-parse HEAD)" --build-arg CREATED="$(git log -1 --format=%cI)" \
  --tag emberscope "$out/context" > "$out/build.log" 2>&1 || { tail -n 30 "$out/build.log" >&2; exit 1; }

b push -q --format docker emberscope "docker-archive:$out/image.tar" > /dev/null
gzip -9 -c "$out/image.tar" > "$out/image.tar.gz"
container=$(b from --pull-never emberscope)
root=$(b mount "$container")
mkdir "$out/rootfs"
cp -a "$root/." "$out/rootfs/"
b inspect --type image emberscope |
  node -p 'JSON.stringify(JSON.parse(fs.readFileSync(0)).OCIv1.config)' > "$out/config.json"
b umount "$container" > /dev/null
b rm "$container" > /dev/null
