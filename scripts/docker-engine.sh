#!/usr/bin/env bash
# A Docker engine of this checkout's own, for a bare Debian (as root) without one: no service, no bridge, no firewall
# rules, and no registry: its images are made of what this machine has. Containers run in host network mode.
#
#   scripts/docker-engine.sh start    installs docker.io if there is no dockerd, and starts one on a private socket
#   scripts/docker-engine.sh image    makes redis:7-alpine of this machine's redis-server and redis-cli, and
#                                     node:20-bookworm-slim of its node and npm, each with its shared libraries
#   scripts/docker-engine.sh env      prints what a client must have in its environment: eval "$(... env)"
#   scripts/docker-engine.sh stop     ends the engine and its containers, and removes all that it kept
#
# Who has an engine needs none of this: `npm run test:containers` asks whichever answers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

home=$PWD/.busbar/docker
socket=$home/docker.sock
pid_file=$home/docker.pid
export DOCKER_HOST=unix://$socket

say() { echo "docker-engine: $*" >&2; }
answers() { docker version >/dev/null 2>&1; }

start() {
  if answers; then
    say "answers already on $socket"
    return
  fi
  [ "$(id -u)" = 0 ] || { say 'an engine needs root'; exit 1; }
  if ! command -v dockerd >/dev/null; then
    say 'installing docker.io'
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io >/dev/null
  fi
  mkdir -p "$home"
  setsid dockerd --host "$DOCKER_HOST" --data-root "$home/data" --exec-root "$home/exec" --pidfile "$pid_file" \
    --bridge=none --iptables=false --ip-forward=false >"$home/engine.log" 2>&1 </dev/null &
  for _ in $(seq 100); do
    if answers; then
      say "$(docker version --format 'engine {{.Server.Version}}') answers on $socket"
      return
    fi
    sleep 0.2
  done
  say "did not answer within 20 s; the end of $home/engine.log:"
  tail -n 5 "$home/engine.log" >&2
  exit 1
}

# A root folder with these programs of this machine and the libraries that they load, each at its own path.
root_of() {
  rm -rf "$root"
  mkdir -p "$root/tmp" "$root/etc" "$root/home/node"
  printf 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnode:x:1000:\n' >"$root/etc/group"
  local program
  for program in "$@"; do
    cp -L --parents -t "$root" "$program"
    ldd "$program" 2>/dev/null | grep -o '/[^ ]*' | xargs -r cp -L --parents -t "$root"
  done
}

import_root() {
  local name=$1
  shift
  tar --create --directory "$root" --owner=0 --group=0 . | docker import "$@" - "$name" >/dev/null
  rm -rf "$root"
  say "$name: $(($(docker image inspect --format '{{.Size}}' "$name") / 1048576)) MiB"
}

images() {
  answers || { say "no engine answers on $socket: start it first"; exit 1; }
  local root=$home/root npm certificates=/etc/ssl/certs/ca-certificates.crt
  root_of "$(command -v redis-server)" "$(command -v redis-cli)"
  import_root redis:7-alpine --change 'CMD ["redis-server"]'

  npm=$(readlink -f "$(command -v npm)")
  npm=${npm%/bin/*}
  root_of "$(command -v node)" /bin/sh /bin/mkdir /bin/chown /usr/bin/env
  cp -dR --parents -t "$root" "$npm" "$(command -v npm)"
  if [ -f "$certificates" ]; then cp -L --parents -t "$root" "$certificates"; fi
  import_root node:20-bookworm-slim --change "ENV NODE_EXTRA_CA_CERTS=$certificates" --change 'CMD ["node"]' \
    --change "ENV PATH=$(dirname "$(command -v node)"):/usr/bin:/bin"
}

# Quoted for a shell: a checkout may lie in a folder with a space. testcontainers would otherwise start a container that
# watches over the others, which only a registry has, and would look for a bridge.
environment() {
  printf 'export DOCKER_HOST=%q TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1' "$DOCKER_HOST"
  printf ' BUSBAR_TEST_CONTAINER_NETWORK=host\n'
}

stop() {
  if answers; then docker ps --quiet | xargs -r docker kill >/dev/null; fi
  local pid
  pid=$(cat "$pid_file" 2>/dev/null || true)
  # After a crash the number may be a stranger's.
  if [ -n "$pid" ] && grep -qx dockerd "/proc/$pid/comm" 2>/dev/null; then
    kill "$pid"
    for _ in $(seq 100); do
      [ -d "/proc/$pid" ] || break
      sleep 0.2
    done
    [ ! -d "/proc/$pid" ] || { say "process $pid does not end"; exit 1; }
  fi
  # What containers in host network mode leave behind.
  umount "$home"/exec/netns/* 2>/dev/null || true
  rm -rf "$home"
  say 'stopped, and its folder removed'
}

case ${1-} in
  start) start ;;
  image) images ;;
  env) environment ;;
  stop) stop ;;
  *)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 64
    ;;
esac
