#!/bin/sh
# Makes docker.io/library/node:20-bookworm-slim from Debian's packages and this machine's Node, for where no registry of
# images can be reached. Nothing of it gets into the agent's image but the C and C++ libraries.
#   base.sh BUILDAH...     the buildah command with its storage options
set -eu
tag=docker.io/library/node:20-bookworm-slim
if "$@" inspect --type image "$tag" > /dev/null 2>&1; then exit 0; fi
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
mirror=$(sed -n 's/^URIs: *//p; s/^deb \([^[]*\)  *bookworm .*/\1/p' /etc/apt/sources.list.d/* /etc/apt/sources.list 2> /dev/null | head -n 1)
debootstrap --variant=minbase bookworm "$here/debian" "${mirror:-http://deb.debian.org/debian}" > "$here/debootstrap.log" 2>&1 ||
  { tail -n 5 "$here/debootstrap.log" >&2; echo 'image: no Debian base: debootstrap failed' >&2; exit 1; }
rm -rf "$here"/debian/var/cache/apt/* "$here"/debian/var/lib/apt/lists/*
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
mkdir -p "$here/debian/usr/local/lib/node_modules" "$here/debian/usr/local/include"
cp "$prefix/bin/node" "$here/debian/usr/local/bin/"
cp -r "$prefix/include/node" "$here/debian/usr/local/include/"
cp -r "$prefix/lib/node_modules/npm" "$here/debian/usr/local/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$here/debian/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$here/debian/usr/local/bin/npx"
container=$("$@" from scratch)
"$@" add -q "$container" "$here/debian" / > /dev/null
"$@" config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --cmd node "$container"
"$@" commit -q --rm "$container" "$tag" > /dev/null
