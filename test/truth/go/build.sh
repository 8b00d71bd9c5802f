#!/bin/sh
# Builds the Go programs that know their own truth, in the forms that the table of functions comes in. Usage: build.sh
# [output directory], default build/truth/go. Ends with 3 where there is no go. A program is rebuilt only when a source
# here is newer; go's own cache does the rest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../../build/truth/go}
PATH=$PATH:/usr/local/go/bin
command -v go > /dev/null || { echo 'no go toolchain on this machine'; exit 3; }
mkdir -p "$out"
exec 9> "$out/.lock" # test files that run side by side
flock 9
export GO111MODULE=off GOTOOLCHAIN=local GOFLAGS=

compile() { # name, source, flags of go build
    target=$out/$1 source=$here/$2
    shift 2
    [ -e "$target" ] && [ -z "$(find "$here" -newer "$target" -type f)" ] && return
    go build -o "$target.new" "$@" "$source"
    mv "$target.new" "$target"
}

compile split split.go
compile split-stripped split.go -ldflags '-s -w'
compile split-pie split.go -buildmode=pie -ldflags '-s -w'
GOARCH=arm64 CGO_ENABLED=0 compile split-arm64 split.go
export CGO_ENABLED=1
command -v "${CC:-cc}" > /dev/null || { echo 'no C compiler for cgo'; exit 0; }
compile switches switches.go
compile switches-stripped switches.go -ldflags '-s -w'
compile switches-pie switches.go -buildmode=pie -ldflags '-s -w -linkmode=external'
compile switches-static switches.go -ldflags '-s -w -linkmode=external -extldflags=-static'
