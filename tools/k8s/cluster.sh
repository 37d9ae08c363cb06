#!/usr/bin/env bash
# Runs a real one-node Kubernetes on this machine, for tests: etcd, API server, controller manager, scheduler,
# kubelet, kube-proxy and CoreDNS built from their Go modules; containerd and runc from Debian. No Docker.
# Root, Go 1.26, and: apt-get install containerd runc containernetworking-plugins iptables conntrack iproute2 procps openssl
#   cluster.sh build            compile missing programs into the cache; takes minutes the first time
#   cluster.sh built            succeeds if nothing has to be compiled
#   cluster.sh up               start
#   cluster.sh kubectl ARGS...  kubectl as cluster-admin
#   cluster.sh load FILE.tar    import a docker-archive (podman save) for pods with imagePullPolicy: Never
#   cluster.sh build-keda       compile KEDA's operator and metrics adapter too
#   cluster.sh keda             start them on the running cluster
#   cluster.sh down             stop everything that it started, and remove its state
# Verified with Kubernetes 1.36.3: Deployments under restricted Pod Security run, pods reach each other, a
# Service's name and cluster address reach its pods. Only this machine's own network namespaces are involved.
set -euo pipefail
PATH=$PATH:/usr/local/go/bin
version=${K8S_VERSION:-36.3} etcd_version=${ETCD_VERSION:-v3.7.3} coredns_version=${COREDNS_VERSION:-v1.15.0} keda_version=${KEDA_VERSION:-v2.20.2}
cache=${K8S_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/livecaptions/k8s-1.$version}
state=${K8S_STATE:-/var/tmp/livecaptions-k8s}
bin=$cache/bin config=$state/kubeconfig
pods=10.88.0.0/24 gateway=10.88.0.1 services=10.96.0.0/24

programs="etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl coredns pause"

built() { local p; for p in $programs; do [ -x "$bin/$p" ] || return 1; done; }

build() {
  built && return 0
  type -P go >/dev/null || { echo "Kubernetes is built from its Go modules, and Go is missing: install Go 1.26 from go.dev or your distribution" >&2; exit 1; }
  mkdir -p "$bin"
  if [ ! -x "$bin/kube-proxy" ]; then
    mkdir -p "$cache/kubernetes" && cd "$cache/kubernetes" && rm -f go.mod go.sum
    go mod init local/kubernetes 2>/dev/null
    local commands="kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl kube-proxy"
    { echo '//go:build tools'; echo 'package kubernetes'; for c in $commands; do echo "import _ \"k8s.io/kubernetes/cmd/$c\""; done; } > tools.go
    go mod edit -require="k8s.io/kubernetes@v1.$version"
    local mod; mod=$(go mod download -json "k8s.io/kubernetes@v1.$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
    # its staging modules are required as v0.0.0: replace each by its published version
    for m in $(grep -E '^\s*k8s.io/[a-z0-9-]+ v0\.0\.0$' "$mod" | awk '{print $1}' | sort -u); do go mod edit -replace="$m=$m@v0.$version"; done
    go mod tidy
    local set=k8s.io/component-base/version
    go build -trimpath -ldflags="-s -w -X $set.gitVersion=v1.$version -X $set.gitMajor=1 -X $set.gitMinor=${version%%.*}" \
      -o "$bin/" $(for c in $commands; do echo "k8s.io/kubernetes/cmd/$c"; done)
  fi
  if [ ! -x "$bin/etcd" ]; then
    mkdir -p "$cache/etcd" && cd "$cache/etcd" && rm -f go.mod go.sum
    go mod init local/etcd 2>/dev/null
    printf 'package main\n\nimport (\n\t"os"\n\n\t"go.etcd.io/etcd/server/v3/etcdmain"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n' > main.go
    go get "go.etcd.io/etcd/server/v3@$etcd_version" && go mod tidy && go build -trimpath -ldflags="-s -w" -o "$bin/etcd" .
  fi
  if [ ! -x "$bin/pause" ]; then # holds a pod's namespaces and waits to be stopped
    mkdir -p "$cache/pause" && cd "$cache/pause"
    printf 'package main\n\nimport (\n\t"os"\n\t"os/signal"\n\t"syscall"\n)\n\nfunc main() {\n\tstop := make(chan os.Signal, 1)\n\tsignal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)\n\t<-stop\n}\n' > main.go
    CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o "$bin/pause" main.go
  fi
  if [ ! -x "$bin/coredns" ]; then # with only the plugins in the Corefile
    mkdir -p "$cache/coredns" && cd "$cache/coredns" && rm -f go.mod go.sum
    go mod init local/coredns 2>/dev/null
    printf 'package main\n\nimport (\n\t"github.com/coredns/coredns/coremain"\n\t_ "github.com/coredns/coredns/plugin/bind"\n\t_ "github.com/coredns/coredns/plugin/kubernetes"\n)\n\nfunc main() { coremain.Run() }\n' > main.go
    go get "github.com/coredns/coredns@$coredns_version" && go mod tidy && go build -trimpath -ldflags="-s -w" -o "$bin/coredns" .
  fi
}

build_keda() {
  [ ! -x "$bin/keda/adapter" ] || return 0
  mkdir -p "$bin" "$cache/keda" && cd "$cache/keda" && rm -f go.mod go.sum
  go mod init local/keda 2>/dev/null
  printf '//go:build tools\n\npackage keda\n\nimport (\n\t_ "github.com/kedacore/keda/v2/cmd/adapter"\n\t_ "github.com/kedacore/keda/v2/cmd/operator"\n)\n' > tools.go
  local mod; mod=$(go mod download -json "github.com/kedacore/keda/v2@$keda_version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
  go mod edit -json "$mod" | python3 -c '
import json, subprocess, sys
at = lambda m: m["Path"] + ("@" + m["Version"] if m.get("Version") else "")
for r in json.load(sys.stdin).get("Replace") or []:
    subprocess.run(["go", "mod", "edit", "-replace=" + at(r["Old"]) + "=" + at(r["New"])], check=True)'
  go mod edit -require="github.com/kedacore/keda/v2@$keda_version" && go mod tidy
  go build -trimpath -ldflags="-s -w" -o "$bin/keda/" github.com/kedacore/keda/v2/cmd/operator github.com/kedacore/keda/v2/cmd/adapter
}

start() { # NAME COMMAND...
  local name=$1; shift
  setsid "$@" > "$state/$name.log" 2>&1 &  # a separate session, so that Ctrl-C does not reach it
  echo $! > "$state/$name.pid"
}

pause_image() { # the sandbox container, packed as an image
  local work=$state/pause; mkdir -p "$work"
  cp "$bin/pause" "$work/pause"
  python3 - "$work" <<'PY'
import hashlib, io, json, sys, tarfile
work = sys.argv[1]
def pack(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data, mode in files:
            info = tarfile.TarInfo(name); info.size = len(data); info.mode = mode
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
layer = pack([("pause", open(f"{work}/pause", "rb").read(), 0o755)])
digest = hashlib.sha256(layer).hexdigest()
image = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/pause"]},
                    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()
manifest = json.dumps([{"Config": "config.json", "RepoTags": ["local/pause:1"], "Layers": ["layer.tar"]}]).encode()
open(f"{work}/image.tar", "wb").write(pack([("config.json", image, 0o644), ("layer.tar", layer, 0o644), ("manifest.json", manifest, 0o644)]))
PY
  load "$work/image.tar"
}

load() { ctr --address "$state/containerd.sock" --namespace k8s.io images import --snapshotter "$(snapshotter)" "$1"; }

snapshotter() { # overlayfs if the disk supports it, otherwise a full copy per container
  local try; try=$(mktemp -d "$state/overlay.XXXX")
  mkdir "$try/lower" "$try/upper" "$try/work" "$try/merged"
  if mount -t overlay overlay -o "lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work" "$try/merged" 2>/dev/null; then
    umount "$try/merged"; echo overlayfs
  else
    echo native
  fi
  rm -rf "$try"
}

kubectl() { "$bin/kubectl" --kubeconfig "$config" "$@"; }

up() {
  build
  if [ -e "$state" ]; then echo "already up, or left over in $state: run '$0 down' first" >&2; exit 1; fi
  mkdir -p "$state/cni" "$state/pki" && cd "$state"
  openssl genrsa -out pki/sa.key 2048 2>/dev/null
  openssl rsa -in pki/sa.key -pubout -out pki/sa.pub 2>/dev/null
  # the front-proxy identity for calls to aggregated APIs (external metrics of KEDA)
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=front-proxy-ca -keyout pki/front-proxy-ca.key -out pki/front-proxy-ca.crt 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj /CN=front-proxy-client -keyout pki/front-proxy.key -out pki/front-proxy.csr 2>/dev/null
  openssl x509 -req -days 365 -in pki/front-proxy.csr -CA pki/front-proxy-ca.crt -CAkey pki/front-proxy-ca.key -CAcreateserial -out pki/front-proxy.crt 2>/dev/null
  local token; token=$(openssl rand -hex 16)
  echo "$token,admin,admin,system:masters" > tokens.csv; chmod 600 tokens.csv
  cat > "$config" <<X
apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: "https://127.0.0.1:6443", insecure-skip-tls-verify: true}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: local, context: {cluster: local, user: admin}}]
current-context: local
X
  start etcd "$bin/etcd" --data-dir "$state/etcd" --unsafe-no-fsync --listen-peer-urls http://127.0.0.1:2380 \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379
  start kube-apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --bind-address=127.0.0.1 --secure-port=6443 \
    --advertise-address=127.0.0.1 --cert-dir="$state/pki" --service-cluster-ip-range=$services --token-auth-file=tokens.csv \
    --authorization-mode=Node,RBAC --kubelet-preferred-address-types=InternalIP --service-account-key-file=pki/sa.pub --service-account-signing-key-file=pki/sa.key \
    --service-account-issuer=https://kubernetes.default.svc --allow-privileged=true --enable-aggregator-routing=true \
    --requestheader-client-ca-file=pki/front-proxy-ca.crt --requestheader-allowed-names=front-proxy-client \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --proxy-client-cert-file=pki/front-proxy.crt --proxy-client-key-file=pki/front-proxy.key
  for _ in $(seq 120); do kubectl get --raw /readyz >/dev/null 2>&1 && break; sleep 0.5; done
  kubectl get --raw /readyz >/dev/null
  start kube-controller-manager "$bin/kube-controller-manager" --kubeconfig "$config" --leader-elect=false \
    --service-account-private-key-file=pki/sa.key --use-service-account-credentials=true
  start kube-scheduler "$bin/kube-scheduler" --kubeconfig "$config" --leader-elect=false

  cat > containerd.toml <<X
version = 2
root = "$state/containerd"
state = "$state/containerd-run"
[grpc]
  address = "$state/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/local/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true    # without it, runc fails if the score must not be lowered
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$(snapshotter)"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
X
  cat > cni/10-pods.conflist <<X
{"cniVersion":"0.4.0","name":"pods","plugins":[{"type":"bridge","bridge":"cni0","isGateway":true,
"ipam":{"type":"host-local","dataDir":"$state/ipam","ranges":[[{"subnet":"$pods"}]],"routes":[{"dst":"0.0.0.0/0"}]}},{"type":"loopback"}]}
X
  cat > kubelet.yaml <<X
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
address: $gateway
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
cgroupsPerQOS: false
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
imageGCHighThresholdPercent: 100 # never, because loaded images cannot be pulled again
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%"}
containerRuntimeEndpoint: unix://$state/containerd.sock
clusterDNS: [$gateway]
clusterDomain: cluster.local
X
  sysctl -qw net.ipv4.ip_forward=1
  ip link show cni0 >/dev/null 2>&1 || { ip link add cni0 type bridge && ip addr add $gateway/24 dev cni0 && ip link set cni0 up; }
  start containerd containerd -c "$state/containerd.toml"
  for _ in $(seq 60); do ctr --address "$state/containerd.sock" version >/dev/null 2>&1 && break; sleep 0.5; done
  pause_image
  # with nested cgroups v1, all pods together get the share of one other process, which starved Kafka on a busy machine
  if [ -d /sys/fs/cgroup/cpu ]; then mkdir -p /sys/fs/cgroup/cpu/k8s.io; echo 16384 > /sys/fs/cgroup/cpu/k8s.io/cpu.shares; fi
  start kubelet "$bin/kubelet" --config kubelet.yaml --kubeconfig "$config" --root-dir "$state/kubelet-root" --hostname-override node1 --node-ip $gateway
  start kube-proxy "$bin/kube-proxy" --kubeconfig "$config" --proxy-mode iptables --cluster-cidr $pods --hostname-override node1
  cat > Corefile <<X
.:53 {
  bind $gateway
  kubernetes cluster.local {
    kubeconfig $config local
  }
}
X
  start coredns "$bin/coredns" -conf Corefile
  kubectl wait --for=create node/node1 --timeout=60s && kubectl wait --for=condition=Ready node/node1 --timeout=60s
  echo "KUBECONFIG=$config"
}

keda() { # the operator and the metrics adapter run as processes; the API server calls the adapter through a Service
  build_keda
  local module certificates=$state/keda; mkdir -p "$certificates"
  module=$(cd "$cache/keda" && go list -m -f '{{.Dir}}' github.com/kedacore/keda/v2)
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$certificates/tls.key" -out "$certificates/tls.crt" 2>/dev/null
  cp "$certificates/tls.crt" "$certificates/ca.crt"
  kubectl apply --server-side --filename "$module/config/crd/bases" >/dev/null
  kubectl create namespace keda
  export KUBECONFIG=$config POD_NAMESPACE=keda KEDA_CLUSTER_OBJECT_NAMESPACE=keda WATCH_NAMESPACE=
  start operator "$bin/keda/operator" --cert-dir "$certificates" --metrics-bind-address 127.0.0.1:18080 \
    --health-probe-bind-address 127.0.0.1:18081 --metrics-service-bind-address 127.0.0.1:9666
  start adapter "$bin/keda/adapter" --bind-address $gateway --secure-port 6444 --port 18082 --cert-dir "$certificates" \
    --tls-cert-file "$certificates/tls.crt" --tls-private-key-file "$certificates/tls.key" --metrics-service-address localhost:9666 \
    --lister-kubeconfig "$config" --authentication-kubeconfig "$config" --authorization-kubeconfig "$config"
  kubectl apply --filename - <<Y
apiVersion: v1
kind: Service
metadata: {name: keda-metrics-apiserver, namespace: keda}
spec: {ports: [{name: https, port: 443, targetPort: 6444}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: keda-metrics-apiserver, namespace: keda, labels: {kubernetes.io/service-name: keda-metrics-apiserver}}
addressType: IPv4
ports: [{name: https, port: 6444}]
endpoints: [{addresses: [$gateway], conditions: {ready: true}}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec: {group: external.metrics.k8s.io, version: v1beta1, groupPriorityMinimum: 100, versionPriority: 100,
  insecureSkipTLSVerify: true, service: {name: keda-metrics-apiserver, namespace: keda}}
Y
  kubectl wait --for=condition=Available apiservice/v1beta1.external.metrics.k8s.io --timeout=60s
}

halt() { # NAME: SIGTERM, and SIGKILL after 5 s (an API server with watching clients would take a minute)
  [ -f "$state/$1.pid" ] || return 0
  local pid; pid=$(cat "$state/$1.pid")
  # only if it is still our process: pids are reused
  [[ $(readlink "/proc/$pid/exe") == */$1 ]] || return 0
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}

down() {
  [ -e "$state" ] || return 0
  kubectl delete jobs --all -A --timeout=20s >/dev/null 2>&1 || true  # their controller has to release their pods
  for name in operator adapter kube-controller-manager kube-scheduler; do halt "$name"; done  # so that stopped pods are not replaced
  kubectl delete pods --all -A --grace-period=1 --timeout=60s >/dev/null 2>&1 || true
  # containers left behind if the API server or the kubelet died earlier
  halt kubelet
  local runc="runc --root /run/containerd/runc/k8s.io"
  $runc list --format json 2>/dev/null | python3 -c '
import json, sys
print(*(c["id"] for c in json.load(sys.stdin) or [] if c["bundle"].startswith(sys.argv[1])))' "$state/" 2>/dev/null |
    xargs -r -n 1 $runc delete --force 2>/dev/null || true
  pgrep -f "containerd-shim-runc-v2 .*-address $state/" | xargs -r kill -9 || true
  for name in coredns kube-proxy containerd kube-apiserver etcd; do halt "$name"; done
  for network in $(ip netns list | awk '/^cni-/ {print $1}'); do
    ip -n "$network" -4 address 2>/dev/null | grep -q "inet ${gateway%.*}\." && ip netns delete "$network" || true
  done
  "$bin/kube-proxy" --cleanup >/dev/null 2>&1 || true
  ip link del cni0 2>/dev/null || true
  awk -v s="$state/" 'index($2, s) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount 2>/dev/null || true
  rm -rf "$state"
}

case ${1:-} in
  build) build ;;
  built) built ;;
  build-keda) build_keda ;;
  keda) keda ;;
  up) up ;;
  kubectl) shift; exec "$bin/kubectl" --kubeconfig "$config" "$@" ;;
  load) load "$2" ;;
  down) down ;;
  *) sed -n '2,14p' "$0"; exit 2 ;;
esac
