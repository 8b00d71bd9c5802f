#!/bin/sh
# The image, for real (`npm run test:image`): builds it by buildah, looks at what is in it, and runs it in a jail with the
# six capabilities on a read-only root. Needs root, buildah, debootstrap, capsh and apt's and npm's mirrors. The last line is the sum.
#   run.sh [DIRECTORY]     uses what build.sh left in DIRECTORY instead of building
set -u
cd "$(dirname "$0")/../.."
MAX_BYTES=45000000
SIX=cap_bpf,cap_perfmon,cap_sys_ptrace,cap_checkpoint_restore,cap_syslog,cap_dac_read_search
passed=0 failed=0
ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; }
# judge NAME COMMAND...: the command's exit code is the verdict; what it prints is shown where it fails.
judge() {
  name=$1
  shift
  if output=$("$@" 2>&1); then ok "$name"; else not_ok "$name"; printf '%s\n' "$output" | tail -n 15 | sed 's/^/  /'; fi
}
total() {
  echo "$passed passed, $failed failed, $1 skipped"
  [ "$failed" -eq 0 ]
}

for tool in buildah debootstrap capsh; do
  if ! command -v "$tool" > /dev/null; then
    echo "skipped: $tool is not installed (apt-get install buildah debootstrap libcap2-bin)"
    total 1
    exit
  fi
done
[ "$(id -u)" -eq 0 ] || { echo 'skipped: needs root'; total 1; exit; }

work=$(mktemp -d)
pids=
finish() {
  for pid in $pids; do kill "$pid" 2> /dev/null; done
  rm -rf "$work"
}
trap finish EXIT
built=${1:-$work/built}
[ -d "$built/rootfs" ] || sh test/image/build.sh "$built" || { not_ok 'the image builds'; total 0; exit 1; }
root=$built/rootfs

bytes=$(stat -c %s "$built/image.tar.gz")
echo "image: $((bytes / 1000)) kB compressed, $(du -sk --apparent-size "$root" | cut -f1) KiB unpacked"
judge "at most $((MAX_BYTES / 1000000)) MB compressed" test "$bytes" -le "$MAX_BYTES"
config() { grep -q "$1" "$built/config.json"; }
judge 'the entry point is the agent' config '"Entrypoint":\["/usr/bin/profile","agent"\]'
for label in title description licenses version revision created; do
  judge "label org.opencontainers.image.$label" config "\"org.opencontainers.image.$label\":\"[^\"]"
done
none_of() { found=$(cd "$root" && find . \( "$@" \) -print); [ -z "$found" ] || { echo "$found"; return 1; }; }
judge 'no shell, no package manager' none_of -name sh -o -name bash -o -name dash -o -name npm -o -name apt -o -name dpkg
judge 'no file with special rights' none_of -type f -perm /7000
judge 'nobody but root may write' none_of ! -type l -perm -0002 ! -name tmp

# jail STATE COMMAND ARGS...
jail() { state=$1; shift; sh test/image/jail.sh "$root" "$state" "$SIX" "$@"; }
new_state() { mkdir -p "$work/$1"; echo "$work/$1"; }

state=$(new_state plain)
judge 'prints its version' jail "$state" /usr/bin/profile --version
enough() {
  jail "$state" /usr/bin/profile agent --check > "$state/check"
  code=$?
  cat "$state/check"
  [ "$code" -eq 0 ] && ! grep -qE '^(warning|failed)' "$state/check"
}
judge 'agent --check: these six are enough' enough
fewer() {
  sh test/image/jail.sh "$root" "$state" cap_bpf,cap_perfmon /usr/bin/profile agent --check > "$state/check"
  for name in SYS_PTRACE CHECKPOINT_RESTORE SYSLOG DAC_READ_SEARCH; do
    grep -q "^warning .*CAP_$name" "$state/check" || { cat "$state/check"; return 1; }
  done
}
judge 'agent --check names each of the six that is missing' fewer
read_only() {
  jail "$state" /usr/bin/node -e 'try { fs.writeFileSync("/x", "") } catch ({ code }) { process.exit(code === "EROFS" ? 0 : 2) } process.exit(1)'
}
judge 'its root cannot be written' read_only
capabilities() {
  line=$(jail "$state" /usr/bin/node -p 'require("fs").readFileSync("/proc/self/status", "latin1").match(/CapEff:.*|CapBnd:.*|NoNewPrivs:.*/g).join(" ")' | tr -d '\t')
  [ "$line" = 'CapEff:000001c400080004 CapBnd:000001c400080004 NoNewPrivs:1' ] || { echo "$line"; return 1; }
}
judge 'has exactly the six' capabilities

# A program of another user with a name to find.
mkdir -p "$work/busy"
chmod 711 "$work" "$work/busy"
cat > "$work/busy/busy.c" << 'C'
#include <time.h>
volatile unsigned long sink;
__attribute__((noinline)) void burn_in_image_test(void) { for (int i = 0; i < 1000; i++) sink += i; }
int main(void) { time_t end = time(0) + 120; while (time(0) < end) burn_in_image_test(); }
C
cc -O1 -g -o "$work/busy/busy" "$work/busy/busy.c"
chmod 700 "$work/busy/busy"
chown 65534 "$work/busy/busy"
setpriv --reuid=65534 --clear-groups "$work/busy/busy" &
pids="$pids $!"

profiled() {
  jail "$state" /usr/bin/profile --all -d 2s -v -o /tmp/profile.folded --no-open > "$state/summary" 2>&1
  code=$?
  cat "$state/summary"
  [ "$code" -eq 0 ]
}
judge 'profiles the whole machine' profiled
judge 'names the functions of another user, whose file only that one may read' grep -q 'burn_in_image_test' "$state/tmp/profile.folded"
judge 'names the functions of the kernel' grep -qE 'do_syscall_64|entry_SYSCALL|x64_sys_call' "$state/tmp/profile.folded"
unhindered() { ! grep -E 'symbolizer could not|not cached|EPERM|EACCES|not permitted' "$state/summary"; }
judge 'nothing failed for want of a right' unhindered
judge 'unwind tables are kept on the volume' sh -c "ls '$state'/var/cache/emberscope/tables/*.rows"

state=$(new_state agent)
node test/image/sink.mjs "$state" &
pids="$pids $!"
for _ in $(seq 50); do [ -e "$state/port" ] || sleep 0.1; done
mkdir -p "$state/etc/emberscope"
cat > "$state/etc/emberscope/agent.yaml" << YAML
window: 1s
listen: 127.0.0.1:0
exporter:
  endpoint: http://127.0.0.1:$(cat "$state/port")
YAML
sh test/image/jail.sh "$root" "$state" "$SIX" /usr/bin/profile agent --config /etc/emberscope/agent.yaml > "$state/log" 2>&1 &
agent=$!
pids="$pids $agent"
sleep 8
# answers PATH: what the agent says, at the address its log names.
answers() {
  address=$(sed -n 's/.*listening address=\([0-9.:]*\).*/\1/p' "$state/log")
  node -e 'fetch(process.argv[1]).then(async (r) => { console.log(await r.text()); process.exit(r.ok ? 0 : 1) })' "http://$address$1"
}
for path in /healthz /readyz /metrics; do judge "answers $path" answers "$path"; done
answers /metrics > "$state/metrics"
kill -TERM "$agent"
wait "$agent"
code=$?
ended() { cat "$state/log"; [ "$code" -eq 0 ]; }
judge 'the agent runs, and ends with 0 after SIGTERM' ended
sent() { cat "$state/log"; [ "$(grep -c '^/v1development/profiles [1-9]' "$state/requests")" -ge 3 ]; }
judge 'it sent a window a second' sent
no_complaint() { ! grep -iE 'error|warn|cannot|EPERM|EACCES|EROFS' "$state/log"; }
judge 'it complains of nothing' no_complaint
judge 'it lost no sample' sh -c "! grep -E '^emberscope_samples_dropped_total.* [1-9]' '$state/metrics'"
judge 'its queue is on the volume' test -d "$state/var/lib/emberscope/queue"
total 0
