#!/usr/bin/env bash
# Builds the container images with podman, without Docker and without a public registry. Debian's image is replaced by
# one made with debootstrap, and uv's image by one with this machine's uv. Needs root, and:
#   apt-get install podman runc debootstrap
#   image.sh build ARGS...   localhost/livecaptions:cpu; layers and packages are cached, ARGS are for podman build
#   image.sh cuda DIR        localhost/livecaptions:cuda, with the libcublas of DIR (site-packages/nvidia/cublas/lib)
#   image.sh kafka           localhost/livecaptions-kafka; also needs a JDK and Maven
#   image.sh run ARGS...     podman run with the restrictions of Kubernetes, on this machine's network
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
base=localhost/debian:bookworm-security

import() { # DIR IMAGE
  tar -C "$1" -c . | podman import --quiet - "$2" >/dev/null
}

base() {
  podman image exists "$base" && return
  local work; work=$(mktemp -d)
  debootstrap --variant=minbase bookworm "$work/root" http://deb.debian.org/debian >"$work/log" || { cat "$work/log" >&2; exit 1; }
  echo "deb http://deb.debian.org/debian-security bookworm-security main" >>"$work/root/etc/apt/sources.list"
  rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
  import "$work/root" "$base"
  rm -rf "$work"
}

uv_image() { # prints the image's name, which contains the version, so that cached builds are found again
  local program work image
  program=$(type -P uv || echo "$root/.tools/uv/bin/uv")
  image=localhost/uv:$("$program" --version | cut -d' ' -f2)
  if ! podman image exists "$image"; then
    work=$(mktemp -d)
    cp -L "$program" "$work/uv"
    import "$work" "$image"
    rm -rf "$work"
  fi
  echo "$image"
}

build() { # TARGET ARGS...
  local target=$1 certificates=(); shift
  base
  # the machine's certificate authorities are available in the build, but not in the image
  [ -z "${SSL_CERT_FILE:-}" ] ||
    certificates=(--volume "$SSL_CERT_FILE:/run/certificates.pem:ro" --build-arg SSL_CERT_FILE=/run/certificates.pem)
  podman build --quiet --isolation chroot --network host --format docker --target "$target" --tag "localhost/livecaptions:$target" \
    --build-arg "BASE=$base" --build-arg "UV=$(uv_image)" "${certificates[@]}" "$@" "$root"
}

cuda() { # DIR
  local work; work=$(mktemp -d)
  mkdir -p "$work/usr/local/cuda/lib64"
  cp -L "$1"/libcublas.so.12 "$1"/libcublasLt.so.12 "$work/usr/local/cuda/lib64/"
  base
  printf 'FROM %s\nCOPY usr /usr\n' "$base" | podman build --quiet --isolation chroot --tag localhost/cuda:standin --file - "$work" >/dev/null
  rm -rf "$work"
  build cuda --build-arg CUDA_BASE=localhost/cuda:standin
}

kafka() {
  local work; work=$(mktemp -d)
  base
  KAFKA_DIR=$work sh "$root/tools/kafka/kafka.sh" install
  cp "$root/tools/kafka/kafka.sh" "$work"
  podman build --quiet --isolation chroot --network host --format docker --tag localhost/livecaptions-kafka --build-arg "BASE=$base" \
    --file "$root/tools/kafka/Dockerfile" "$work"
  rm -rf "$work"
}

case ${1:-} in
  build) shift; build cpu "$@" ;;
  cuda) cuda "$2" ;;
  kafka) kafka ;;
  # healthcheck timers need systemd; podman's default ulimits need more rights than root has on a nested machine
  run) shift; exec podman --runtime runc run --rm --network host --no-healthcheck --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 \
    --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges "$@" ;;
  *) sed -n '2,10p' "$0"; exit 2 ;;
esac
